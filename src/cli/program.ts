import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { reportError } from './report-error.js';

/** Every command there is, in the order of `carrel --help`. The one that is asked for is loaded alone. */
const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  start: async () => (await import('./start.command.js')).startCommand(),
  new: async () => (await import('./new.command.js')).newCommand(),
  token: async () => (await import('./token.command.js')).tokenCommand(),
  console: async () => (await import('./console.command.js')).consoleCommand(),
  mcp: async () => (await import('./mcp.command.js')).mcpCommand(),
  migrate: async () => (await import('./migrate.command.js')).migrateCommand(),
  demo: async () => (await import('./demo.command.js')).demoCommand(),
};

const USAGE_ERROR = 2;
/** For what is on its way to the terminal. */
const LINGER_MS = 500;

const EXAMPLES = `
Examples:
  $ carrel start                                   a server on http://127.0.0.1:3000, data in ./.carrel
  $ carrel new agent word-count                    an agent to begin with, and its test
  $ carrel demo                                    the main job, shown and checked
  $ carrel token --user alice                      a token for alice, good for an hour
  $ curl -H "Authorization: Bearer $(carrel token --user alice)" http://127.0.0.1:3000/v1/agents
  $ carrel console --user alice                    the console in a browser, signed in as alice
  $ carrel mcp list                                the tools of the MCP servers, and what has changed of them
  $ carrel migrate --from .carrel                  copies a data folder into PostgreSQL, for several nodes
  $ carrel start --agents ./dist/my-agents.module.js --port 8080
  $ CARREL_USER_MAX_RUNNING=10 carrel start        the same as carrel start --user-max-running 10

Every setting is an environment variable and a flag of \`carrel start\`: see \`carrel start --help\`.`;

/** The command line, ready to parse, with the command that is asked for, or with all. */
export async function buildProgram(asked?: string): Promise<Command> {
  const program = new Command('carrel')
    .description('Runs AI agents for many users at once, each user in an execution context of their own.')
    .version(version(), '-v, --version', 'print the version')
    .helpOption('-h, --help', 'print this, or the help of a command')
    .addHelpText('after', EXAMPLES);
  for (const command of await commandsFor(asked)) program.addCommand(command.helpOption('-h, --help', 'print this'));
  for (const command of [program, ...program.commands, ...program.commands.flatMap((one) => one.commands)]) {
    command
      .exitOverride()
      .showHelpAfterError(`(carrel ${command === program ? '' : `${command.name()} `}--help says more)`);
  }
  return program;
}

function commandsFor(asked = ''): Promise<Command[]> {
  const one = Object.hasOwn(COMMANDS, asked) ? COMMANDS[asked] : undefined;
  return Promise.all((one ? [one] : Object.values(COMMANDS)).map((load) => load()));
}

/** Runs the command line; sets the exit code: 1 for a failure, 2 for a call that makes no sense. */
export async function runProgram(argv: readonly string[]): Promise<void> {
  try {
    await (await buildProgram(argv[2])).parseAsync(argv);
  } catch (error) {
    if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : USAGE_ERROR;
    else {
      process.exitCode = reportError(error);
      // Nest closes nothing of an application that could not start: connections would keep the process alive
      setTimeout(() => process.exit(), LINGER_MS).unref();
    }
  }
}

function version(): string {
  const file = new URL('../../package.json', import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}
