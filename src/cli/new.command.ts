import { access, mkdir, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { CarrelError } from '../shared/errors.js';
import { newAgentFiles } from './new-agent-files.js';

const HELP = `
Examples:
  $ carrel new agent word-count
  $ carrel start --agents word-count.agent.mjs     starts a server that has it
  $ node --test word-count.agent.test.mjs          runs its test`;

const NAME = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;

/** `carrel new agent`: writes an agent and its test, to begin with. */
export function newCommand(): Command {
  const command = new Command('new').description('write an agent and its test').addHelpText('after', HELP);
  command
    .command('agent')
    .description('write an agent in plain JavaScript, and a test of it')
    .argument('<name>', 'such as word-count', nameFrom)
    .option('--dir <folder>', 'where to', '.')
    .action(writeAgent);
  return command;
}

async function writeAgent(name: string, { dir }: { dir: string }): Promise<void> {
  const files = newAgentFiles(name).map((file) => ({ ...file, path: join(dir, file.name) }));
  for (const { path } of files) if (await isThere(path)) throw taken(path);
  await mkdir(dir, { recursive: true });
  for (const { path, text } of files) await writeFile(path, text, { flag: 'wx' });
  const [agent, test] = files.map(({ path }) => relative('.', path));
  const lines = [
    `Wrote ${agent} and ${test}`,
    '',
    `  node --test ${test}`,
    `  carrel start --agents ${agent}    then open the link that it prints`,
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}

function nameFrom(text: string): string {
  if (NAME.test(text) && text.length <= 64) return text;
  throw new InvalidArgumentError('a name is 1 to 64 small letters, digits and hyphens, such as word-count');
}

async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

function taken(path: string): CarrelError {
  return new CarrelError('invalid_request', `${path} is there already: choose another name or folder (--dir)`);
}
