/** An agent that never ends by itself, on the build that `BENCH_BUILD` names. */
import { pathToFileURL } from 'node:url';
import { Module } from '@nestjs/common';
import { z } from 'zod';

const { Agent } = await import(pathToFileURL(`${process.env.BENCH_BUILD}/index.js`).href);

class Waiter {
  run(_input, { signal }) {
    return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
  }
}
Agent({ name: 'waiter', description: 'Waits', input: z.object({}), timeoutMs: 600_000, effect: 'idempotent' })(Waiter);

class Waiters {}
Module({ providers: [Waiter] })(Waiters);
export default Waiters;
