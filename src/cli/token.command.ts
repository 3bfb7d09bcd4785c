import { Command, InvalidArgumentError, Option } from 'commander';
import ms, { type StringValue } from 'ms';
import { loadConfig } from '../config/load-config.js';
import { signToken } from '../edge/token-signer.js';
import { rolesFrom } from './roles-from.js';
import { addSettingOptions, overridesFrom } from './setting-options.js';
import { userIdFrom } from './user-id-from.js';

const HELP = `
The token is signed with the key of the data folder, or with CARREL_JWT_SECRET where that is set; the server that it
is for must have the same.

Examples:
  $ carrel token --user alice
  $ carrel token --user alice --role admin --role auditor --ttl 15m
  $ TOKEN=$(carrel token --user alice --ttl 7d)`;

const MAX_TTL_MS = ms('365d');

interface TokenOptions extends Record<string, unknown> {
  user: string;
  role: string[];
  /** Seconds. */
  ttl: number;
}

/** `carrel token`: prints a signed token, and nothing else, on stdout. */
export function tokenCommand(): Command {
  const command = new Command('token')
    .description('print a signed token for a user')
    .addOption(new Option('--user <id>', "the user's id").argParser(userIdFrom).makeOptionMandatory())
    .addOption(
      new Option('--role <role>', 'a role of the user; may be given again').argParser(rolesFrom).default([], 'none'),
    )
    .addOption(
      new Option('--ttl <time>', 'how long it counts: 30s, 15m, 1h, 7d').argParser(ttlFrom).default(3600, '1h'),
    )
    .addHelpText('after', HELP)
    .action(printToken);
  return addSettingOptions(command, ['CARREL_DATA_DIR', 'CARREL_JWT_ISSUER', 'CARREL_JWT_AUDIENCE']);
}

async function printToken(options: TokenOptions): Promise<void> {
  const config = loadConfig(undefined, overridesFrom(options));
  const token = await signToken(config, { userId: options.user, roles: options.role, ttlSeconds: options.ttl });
  process.stdout.write(`${token}\n`);
}

function ttlFrom(text: string): number {
  const value = /^\d+(\.\d+)? ?[a-z]+$/i.test(text) ? ms(text as StringValue) : undefined;
  if (value === undefined || !(value >= 1000 && value <= MAX_TTL_MS)) {
    throw new InvalidArgumentError(
      'a time has a unit, such as 30s, 15m, 1h or 7d, and is at least 1s and at most 365d',
    );
  }
  return Math.floor(value / 1000);
}
