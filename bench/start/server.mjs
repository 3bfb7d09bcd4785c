/** `carrel start` as anybody starts it, and what it says when. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
export const WAITERS = fileURLToPath(new URL('waiter.module.mjs', import.meta.url));
export const SETTINGS = { CARREL_JWT_SECRET: 's'.repeat(32), CARREL_USER_MAX_RUNNING: '100', CARREL_LOG_LEVEL: 'info' };

const RECOVERED = /^.*unfinished runs are on their way again.*$/gm;

/** Starts a server and resolves when it says that it listens. */
export async function startCarrel(data, more = []) {
  const began = performance.now();
  const child = spawn(process.execPath, [MAIN, 'start', '--port', '0', '--data', data, ...more], {
    env: { ...process.env, ...SETTINGS },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  const checks = [];
  const ended = Promise.withResolvers();
  child.once('exit', () => ended.reject(new Error(`the server ended: ${said.slice(-2000)}`)));
  ended.promise.catch(() => undefined);
  child.stdout.setEncoding('utf8').on('data', (text) => {
    said += text;
    for (const check of checks) check();
  });
  const until = (test) =>
    Promise.race([
      ended.promise,
      new Promise((found) => {
        const check = () => {
          const result = test(said);
          if (result) found(result);
        };
        checks.push(check);
        check();
      }),
    ]);
  const [, url] = await until((text) => /^Carrel listens on (\S+)$/m.exec(text));
  const sinceStart = () => performance.now() - began;
  return {
    url,
    readyMs: sinceStart(),
    /** Resolves with the time at which so many runs were on their way again. */
    async recovered(runs) {
      await until((text) => recoveredIn(text) >= runs);
      return sinceStart();
    },
    rssMb: () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))[1]) / 1024,
    stop: () =>
      new Promise((stopped) => {
        child.once('exit', stopped);
        child.kill('SIGKILL');
      }),
  };
}

function recoveredIn(text) {
  const lines = text.match(RECOVERED) ?? [];
  return lines.reduce((sum, line) => sum + Number(/"runs":(\d+)/.exec(line)?.[1] ?? 0), 0);
}
