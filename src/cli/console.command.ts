import { spawn } from 'node:child_process';
import { Command, Option } from 'commander';
import { loadConfig } from '../config/load-config.js';
import { signCode } from '../edge/console/sign-in-code.js';
import { consoleLink } from './console-link.js';
import { rolesFrom } from './roles-from.js';
import { addSettingOptions, overridesFrom } from './setting-options.js';
import { userIdFrom } from './user-id-from.js';

const HELP = `
The link signs in once, within five minutes. Where tokens come from an identity provider, sign in with one of those instead.

Examples:
  $ carrel console --user alice
  $ carrel console --user ops --role operator --url http://127.0.0.1:8080 --no-open`;

interface ConsoleOptions extends Record<string, unknown> {
  user: string;
  role: string[];
  url?: string;
  open: boolean;
}

/** `carrel console`: prints a link that signs a user in to the console of a running server, and opens it. */
export function consoleCommand(): Command {
  const command = new Command('console')
    .description('print a link that signs a user in to the console, and open it')
    .addOption(new Option('--user <id>', "the user's id").argParser(userIdFrom).makeOptionMandatory())
    .addOption(
      new Option('--role <role>', 'a role of the user; may be given again').argParser(rolesFrom).default([], 'none'),
    )
    .option('--url <url>', 'where the server is; without it on this machine, at its port')
    .option('--no-open', 'print the link, and do not open a browser')
    .addHelpText('after', HELP)
    .action(printLink);
  return addSettingOptions(command, ['CARREL_DATA_DIR', 'CARREL_JWT_ISSUER', 'PORT']);
}

async function printLink(options: ConsoleOptions): Promise<void> {
  const config = loadConfig(undefined, overridesFrom(options));
  const code = await signCode(config, { userId: options.user, roles: options.role });
  const link = consoleLink(options.url ?? `http://127.0.0.1:${config.http.port}`, code);
  process.stdout.write(`${link}\n`);
  if (options.open && process.stdout.isTTY) openInBrowser(link);
}

function openInBrowser(link: string): void {
  const opener = { darwin: 'open', win32: 'explorer' }[process.platform as string] ?? 'xdg-open';
  const child = spawn(opener, [link], { stdio: 'ignore', detached: true });
  child.on('error', () => undefined); // the link was printed
  child.unref();
}
