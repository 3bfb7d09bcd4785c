/**
 * The real server, as built, with an agent that thinks aloud and answers; every default but the caps. Embedded profile,
 * or with `BENCH_DATABASE_URL` and `BENCH_REDIS_URL` one of several nodes.
 */
import { createRequire } from 'node:module';
import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Module } from '@nestjs/common';
import { z } from 'zod';
import {
  Agent,
  createCarrelApp,
  ExecutionEngineFactory,
  ExecutionService,
  loadConfig,
  UserExecutionContext,
} from '../../dist/index.js';
import { signToken } from '../../dist/edge/token-signer.js';
import { EventBus } from '../../dist/events/event-bus.js';
import { reportTo } from './report.mjs';

class Thinker {
  async run({ text, thoughts }, run) {
    for (let step = 1; step <= thoughts; step++) await run.thinking(`thinking about ${text}`, { step, progress: 0.5 });
    return { text, words: 3 };
  }
}
Agent({
  name: 'thinker',
  description: 'Thinks aloud',
  input: z.object({ text: z.string(), thoughts: z.number().default(3) }),
  effect: 'idempotent',
})(Thinker);

class Waiter {
  async run({ ms }) {
    await new Promise((resolve) => setTimeout(resolve, ms));
    return {};
  }
}
Agent({ name: 'waiter', description: 'Waits', input: z.object({ ms: z.number() }), timeoutMs: 600_000 })(Waiter);

class BenchAgents {}
Module({ providers: [Thinker, Waiter] })(BenchAgents);

const folder = await mkdtemp(join(tmpdir(), 'carrel-bench-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
const config = loadConfig({
  CARREL_DATA_DIR: folder,
  CARREL_LOG_LEVEL: 'warn',
  CARREL_USER_STARTS_PER_MINUTE: '1000000',
  CARREL_USER_MAX_RUNNING: process.env.BENCH_MAX_RUNNING ?? '3',
  CARREL_USER_MAX_QUEUED: '100000',
  CARREL_RUN_SLOTS: process.env.BENCH_SLOTS ?? '64',
  CARREL_NO_PROGRESS_MS: '600000',
  CARREL_DATA_SYNC: process.env.BENCH_SYNC ?? 'full',
  PORT: '0',
  ...(process.env.BENCH_DATABASE_URL && {
    DATABASE_URL: process.env.BENCH_DATABASE_URL,
    REDIS_URL: process.env.BENCH_REDIS_URL,
    CARREL_REDIS_PREFIX: process.env.BENCH_REDIS_PREFIX,
    CARREL_JWT_SECRET: 'a secret that all nodes of the bench share',
  }),
});

let statements = 0;
if (process.env.BENCH_DATABASE_URL) {
  const { Client } = createRequire(new URL('../../dist/index.js', import.meta.url))('pg');
  const { query } = Client.prototype;
  Client.prototype.query = function (...given) {
    statements += 1;
    return query.apply(this, given);
  };
}

const app = await createCarrelApp({ config, agents: [BenchAgents] });
await app.listen(0, '127.0.0.1');
reportTo(process, () => app.get(ExecutionEngineFactory).report());
const contexts = new Map();
function contextOf(userId) {
  if (!contexts.has(userId)) {
    contexts.set(userId, new UserExecutionContext({ userId, requestId: 'req_bench', createdAtMs: Date.now() }));
  }
  return contexts.get(userId);
}

/** So many events to each of these users: each has a run that begins, thinks and ends. */
function burst({ users, events }) {
  const input = { text: 'a short text about the sea', thoughts: events - 2 };
  const submit = (user) => app.get(ExecutionService).submit(contextOf(`user-${user}`), { agent: 'thinker', input });
  return Promise.all(users.map(submit));
}

/** Runs that are begun and heard of here, without HTTP and sockets. */
const insiders = [];
async function addInsider(n) {
  const userId = `insider-${process.pid}-${n}`;
  const context = contextOf(userId);
  const ends = new Map();
  const ended = (runId) => {
    ends.get(runId)?.();
    ends.delete(runId);
  };
  const executions = app.get(ExecutionService);
  // on several nodes the bus says now and then that something is to be looked up, first of all at the beginning
  const lookedUp = new Promise((resolve) => {
    const behind = async () => {
      resolve();
      for (const runId of ends.keys()) if ((await executions.find(context, runId)).endedAtMs) ended(runId);
    };
    app.get(EventBus).subscribe(userId, ({ runId, type }) => type === 'agent_completed' && ended(runId), behind);
  });
  if (process.env.BENCH_DATABASE_URL) await lookedUp;
  insiders.push(async () => {
    const { run } = await executions.submit(context, {
      agent: 'thinker',
      input: { text: 'a short text about the sea' },
    });
    await new Promise((resolve) => ends.set(run.id, resolve));
  });
}
async function runInside(runs, concurrency) {
  while (insiders.length < 100) await addInsider(insiders.length);
  let next = 0;
  const one = async () => {
    while (next < runs) await insiders[next++ % insiders.length]();
  };
  await Promise.all(Array.from({ length: concurrency }, one));
}

process.on('message', async ({ tokensFor, ask, burst: wanted, runs, concurrency }) => {
  if (wanted) await burst(wanted);
  if (ask === 'statements') process.send({ statements });
  if (runs) {
    await runInside(runs, concurrency);
    process.send({ done: true });
  }
  if (!tokensFor) return;
  const tokens = await Promise.all(
    tokensFor.map((userId) => signToken(config, { userId, roles: [], ttlSeconds: 7200 })),
  );
  process.send({ tokens });
});
process.send({ url: await app.getUrl() });
