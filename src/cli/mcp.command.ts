import { Command, InvalidArgumentError, Option } from 'commander';
import { loadConfig } from '../config/load-config.js';
import { withMcp } from '../open-mcp.js';
import type { UserId } from '../shared/ids.js';
import { reviewText } from './mcp-review-text.js';
import { userIdFrom } from './user-id-from.js';
import { addSettingOptions, overridesFrom } from './setting-options.js';

const HELP = `
A server can change at any time what it says of its tools, and people and models trust what it says. "accept" writes
down (mcp.lock.json, beside the file of CARREL_MCP_FILE) how the tools are described now. From then on, a tool that is
new or described otherwise is held back (mcp_tool_changed) until it is accepted. The server may run meanwhile.

Examples:
  $ carrel mcp list                                what there is, and what has changed since it was accepted
  $ carrel mcp accept                              accepts all of it
  $ carrel mcp accept --server files --user alice  accepts the tools of one server, as alice sees them`;

interface McpOptions extends Record<string, unknown> {
  server?: string;
  user: string;
  claim: Record<string, string>;
}

/** `carrel mcp`: looks at the tools of the MCP servers, and accepts them. */
export function mcpCommand(): Command {
  const command = new Command('mcp')
    .description('look at the tools of the MCP servers, and accept them')
    .addHelpText('after', HELP);
  command.addCommand(subCommand('list', 'show the tools of the servers, and what has changed').action(list));
  command.addCommand(subCommand('accept', 'accept the tools as they are now').action(accept));
  return command;
}

function subCommand(name: string, description: string): Command {
  const command = new Command(name)
    .description(description)
    .addOption(new Option('--server <name>', 'only this server'))
    .addOption(new Option('--user <id>', 'as this user sees them').argParser(userIdFrom).default('operator'))
    .addOption(
      new Option('--claim <name=value>', "a claim of the user's token that mcp.json asks for; may be given again")
        .argParser(claimsFrom)
        .default({}, 'none'),
    );
  return addSettingOptions(command, ['CARREL_DATA_DIR', 'CARREL_MCP_FILE']);
}

async function list(options: McpOptions): Promise<void> {
  const config = loadConfig(undefined, overridesFrom(options));
  const servers = await withMcp(config, userOf(options), (review, context) => review.review(context, options.server));
  process.stdout.write(reviewText(servers));
  if (servers.some(({ error }) => error !== undefined)) process.exitCode = 1;
}

async function accept(options: McpOptions): Promise<void> {
  const config = loadConfig(undefined, overridesFrom(options));
  const servers = await withMcp(config, userOf(options), (review, context) => review.accept(context, options.server));
  process.stdout.write(`${reviewText(servers)}\naccepted: ${config.mcp.lockFile}\n`);
  if (servers.some(({ error }) => error !== undefined)) process.exitCode = 1;
}

function userOf({ user, claim }: McpOptions) {
  return { userId: user as UserId, claims: claim };
}

function claimsFrom(text: string, before: Record<string, string>): Record<string, string> {
  const [name, ...value] = text.split('=');
  if (!name || value.length === 0) throw new InvalidArgumentError('a claim is given as name=value');
  return { ...before, [name]: value.join('=') };
}
