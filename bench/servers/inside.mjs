/**
 * The real application without a door, in a process of its own, on the data folder `BENCH_DATA` or on one that goes with it. What it
 * is asked to do it does in process, and tells what that took: no client takes part in its processor time.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Injectable, Module, Scope } from '@nestjs/common';
import { z } from 'zod';
import { Agent, createCarrelApp, ExecutionEngineFactory, ExecutionService, loadConfig } from '../../dist/index.js';
import { UserExecutionContext } from '../../dist/context/user-execution-context.js';
import { EventPages } from '../../dist/edge/event-pages.service.js';
import { EventBus } from '../../dist/events/event-bus.js';
import { isTerminalType } from '../../dist/events/run-event.js';
import { shareOneScope } from '../isolation/shared-scope.mjs';
import { inParallel, median } from '../lib.mjs';
import { reportTo } from './report.mjs';

const input = z.object({ text: z.string() });

class Thinker {
  async run({ text }, run) {
    await run.thinking(`reading ${text}`, { step: 1 });
    await run.thinking(`thinking about ${text}`, { step: 2, progress: 0.5 });
    await run.thinking(`writing about ${text}`, { step: 3, progress: 0.9 });
    return { text, words: 3 };
  }
}
Agent({ name: 'thinker', description: 'Thinks three times', input, effect: 'idempotent' })(Thinker);

/** Has something of the run's own injected, directly and by a service: Nest makes both for each run. */
class Notes {
  constructor(context) {
    this.context = context;
  }
}
Reflect.defineMetadata('design:paramtypes', [UserExecutionContext], Notes);
Injectable({ scope: Scope.REQUEST })(Notes);

class Personal extends Thinker {
  constructor(context, notes) {
    super();
    this.context = context;
    this.notes = notes;
  }
}
Reflect.defineMetadata('design:paramtypes', [UserExecutionContext, Notes], Personal);
Agent({ name: 'personal', description: 'Thinks three times, for its user', input, effect: 'idempotent' })(Personal);

class Sleeper {
  async run(_input, run) {
    await run.sleep(86_400_000);
    return {};
  }
}
Agent({ name: 'sleeper', description: 'Sleeps for a day', input })(Sleeper);

class BenchAgents {}
Module({ providers: [Thinker, Notes, Personal, Sleeper] })(BenchAgents);

const dir = process.env.BENCH_DATA ?? mkdtempSync(join(tmpdir(), 'carrel-bench-'));
if (!process.env.BENCH_DATA) process.on('exit', () => rmSync(dir, { recursive: true, force: true }));
const config = loadConfig({
  CARREL_DATA_DIR: dir,
  CARREL_LOG_LEVEL: 'warn',
  CARREL_USER_STARTS_PER_MINUTE: '1000000',
  CARREL_USER_MAX_RUNNING: '1000',
  CARREL_USER_MAX_QUEUED: '100000',
  CARREL_USER_MAX_SUSPENDED: '100000',
  CARREL_RUN_SLOTS: '256',
  CARREL_DATA_SYNC: process.env.BENCH_SYNC ?? 'full',
});
const app = await createCarrelApp({ config, agents: [BenchAgents] });
await app.init();
if (process.env.BENCH_SHARED) shareOneScope(app.get(ExecutionEngineFactory));

const executions = app.get(ExecutionService);
const pages = app.get(EventPages);
const bus = app.get(EventBus);
const TEXT = 'a short text about the sea';
const contexts = new Map();
const waiting = new Map();

function contextOf(userId) {
  if (!contexts.has(userId)) contexts.set(userId, executions.contextFor(userId));
  return contexts.get(userId);
}

function onEvent({ runId, type }) {
  const run = waiting.get(runId) ?? { at: {} };
  waiting.set(runId, run);
  if (type === 'agent_started') run.at.started = performance.now();
  if (!isTerminalType(type)) return;
  run.at.ended = performance.now();
  run.ended?.();
}

async function timedRun(context, agent, laps) {
  const began = performance.now();
  const { run } = await executions.submit(context, { agent, input: { text: TEXT } });
  laps.accept.push(performance.now() - began);
  const known = waiting.get(run.id) ?? { at: {} };
  waiting.set(run.id, known);
  if (known.at.ended === undefined) await new Promise((resolve) => (known.ended = resolve));
  waiting.delete(run.id);
  laps.start.push(known.at.started - began);
  laps.finish.push(known.at.ended - began);
}

const WORK = {
  /** Runs from their submission to their last event. */
  async runs({ users, count, agent = 'thinker', at = 32 }) {
    const laps = { accept: [], start: [], finish: [] };
    const subscriptions = users.map((user) => bus.subscribe(user, onEvent, () => undefined));
    const facts = await measured(count, () =>
      inParallel(count, at, (i) => timedRun(contextOf(users[i % users.length]), agent, laps)),
    );
    for (const end of subscriptions) end();
    for (const [lap, list] of Object.entries(laps)) facts[`${lap}Ms`] = median(list);
    return facts;
  },
  /** Runs that begin at some later time, or that sleep. */
  async waiting({ users, count, agent = 'thinker', delayMs }) {
    await inParallel(count, 256, (i) =>
      executions.submit(contextOf(users[i % users.length]), { agent, delayMs, input: { text: TEXT } }),
    );
    return {};
  },
  list: ({ users, count }) =>
    measured(count, (i) => executions.list(contextOf(users[i % users.length]), {}, { limit: 20 }), true),
  /** What a socket asks for that comes back: what it has missed. */
  resume: ({ users, count, after }) =>
    measured(count, (i) => pages.page(users[i % users.length], { after, limit: 50 }), true),
  forget() {
    contexts.clear();
    return {};
  },
  async close() {
    await app.close();
    return {};
  },
};

/** Time and processor time of one of `count` operations. */
async function measured(count, work, isOneByOne = false) {
  const { user, system } = process.cpuUsage();
  const began = performance.now();
  if (!isOneByOne) await work();
  else for (let i = 0; i < count; i++) await work(i);
  const ms = performance.now() - began;
  const used = process.cpuUsage();
  const cpuUs = (used.user + used.system - user - system) / count;
  return { cpuUs, perSecond: (count / ms) * 1000, us: (ms / count) * 1000 };
}

reportTo(process, () => app.get(ExecutionEngineFactory).report());
process.on('message', async ({ work, ...given }) => {
  if (work) process.send(await WORK[work](given));
});
process.send({ url: '' });
