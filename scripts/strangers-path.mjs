/**
 * The path of a stranger, timed: `npm run strangers-path`. Clones this repository as it is committed, carries out
 * docs/first-agent.md in the clone, command by command and click by click, and adds the time that reading and typing take. It
 * fails beyond ten minutes, so give it a machine that has nothing else to do. Needs git, a Chromium (`CARREL_TEST_CHROMIUM`,
 * else `chromium` in the path) and the package registry.
 */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { launchBrowser } from '../test/browser.ts';
import { approveInConsole, changed, codeOf, commandsOf, runInConsole } from '../test/docs/first-agent-walk.ts';

const LIMIT_MINUTES = 10;
const WORDS_READ_A_MINUTE = 200;
const CHARACTERS_TYPED_A_MINUTE = 120;

const exec = promisify(execFile);
const root = resolve(import.meta.dirname, '..');
const folder = await mkdtemp(join(tmpdir(), 'carrel-stranger-'));
const clone = join(folder, 'carrel');
const env = strangersEnvironment();
const exports = [];
let seconds = 0;

try {
  await timed('git clone', () => exec('git', ['clone', '--quiet', root, clone]));
  const guide = await readFile(join(clone, 'docs/first-agent.md'), 'utf8');
  const commands = commandsOf(guide);
  const serve = commands.pop();
  for (const command of commands) await timed(command, () => inShell(command));

  const browser = await launchBrowser();
  const page = await browser.newPage();
  await timed(`${serve}, and a run from the console`, () => whileServing(serve, (link) => runInConsole(page, link)));
  const agent = join(clone, 'word-count.agent.mjs');
  await writeFile(agent, changed(await readFile(agent, 'utf8'), guide));
  await timed('the change, and an approval', () => whileServing(serve, (link) => approveInConsole(page, link)));
  await browser.close();

  const prose = guide.replaceAll(/^```[\s\S]*?^```/gm, '');
  const typed = [...commandsOf(guide), serve, codeOf(guide, 'js')].join('\n'); // the server is started twice
  count('reading the guide', (prose.split(/\s+/).length / WORDS_READ_A_MINUTE) * 60);
  count('typing its commands and its code', (typed.length / CHARACTERS_TYPED_A_MINUTE) * 60);
} finally {
  await rm(folder, { recursive: true, force: true });
}
console.log(`${(seconds / 60).toFixed(1)} minutes in all`);
if (seconds > LIMIT_MINUTES * 60) throw new Error(`a stranger needs more than ${LIMIT_MINUTES} minutes`);

/** One terminal: what an `export` has set holds for all later commands. */
async function inShell(command) {
  if (command.startsWith('export ')) exports.push(command);
  else await exec('bash', ['-c', [...exports, command].join('\n')], { cwd: clone, env });
}

async function timed(what, work) {
  const began = performance.now();
  await work();
  count(what, (performance.now() - began) / 1_000);
}

function count(what, took) {
  seconds += took;
  console.log(`${took.toFixed(1).padStart(7)} s  ${what}`);
}

/** Starts the server as the guide says, on any free port, and ends it as Ctrl+C does. */
async function whileServing(command, work) {
  const server = spawn('bash', ['-c', [...exports, `exec ${command}`].join('\n')], {
    cwd: clone,
    env: { ...env, PORT: '0' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(server, 'close');
  try {
    for await (const line of createInterface({ input: server.stdout })) {
      const [link] = /http\S+console\S+/.exec(line) ?? [];
      if (!link) continue;
      await work(link);
      return;
    }
    throw new Error('the server has ended, and printed no link');
  } finally {
    server.kill('SIGINT');
    await ended;
  }
}

/** Nothing of this project's own: not its Node, which the clone has to bring itself, and none of npm's variables. */
function strangersEnvironment() {
  const own = (dir) => dir.includes('node_modules') || dir.includes('node-gyp-bin');
  const rest = Object.entries(process.env).filter(([name]) => !/^(npm_|CARREL_|NODE$|INIT_CWD$)/i.test(name));
  return {
    ...Object.fromEntries(rest),
    PATH: process.env.PATH.split(delimiter)
      .filter((dir) => !own(dir))
      .join(delimiter),
  };
}
