/** Where and of what the figures of a result are. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, release, totalmem, type } from 'node:os';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const OWN = ['@nestjs/core', 'fastify', 'socket.io', 'bullmq'];

function versionsIn(folder, names) {
  const read = (name) => JSON.parse(readFileSync(`${ROOT}${folder}node_modules/${name}/package.json`, 'utf8')).version;
  return names.map((name) => `${name} ${read(name)}`);
}

export function facts() {
  const git = (...args) => execFileSync('git', args, { cwd: ROOT, encoding: 'utf8' }).trim();
  const peers = Object.keys(JSON.parse(readFileSync(`${ROOT}bench/package.json`, 'utf8')).dependencies);
  const isChanged = git('status', '--porcelain', '--', 'src', 'bench', ':!bench/results', ':!bench/RESULTS.md') !== '';
  const memory = `${Math.round(totalmem() / 2 ** 30)} GiB`;
  return {
    date: new Date().toISOString().slice(0, 10),
    commit: git('rev-parse', '--short', 'HEAD') + (isChanged ? ', changed' : ''),
    machine: `${cpus().length} × ${cpus()[0].model}, ${memory}, ${type()} ${release().split('-')[0]}, Node ${process.version}`,
    versions: [...versionsIn('', OWN), ...versionsIn('bench/', peers)],
  };
}
