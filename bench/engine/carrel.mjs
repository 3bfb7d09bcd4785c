/** The real application, embedded: every run is recorded, every step an agent with a DI sub-tree of its own, journalled when it ends. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Module } from '@nestjs/common';
import { z } from 'zod';
import { Agent, createCarrelApp, ExecutionService, loadConfig, UserExecutionContext } from '../../dist/index.js';
import { EventBus } from '../../dist/events/event-bus.js';
import { isTerminalType } from '../../dist/events/run-event.js';
import { Pipeline } from '../../dist/execution/pipeline/pipeline.decorator.js';

const USERS = 100;
const N = z.object({ n: z.number() });

class Increment {
  async run({ n }) {
    return { n: n + 1 };
  }
}
Agent({ name: 'increment', description: 'Adds one', input: N, effect: 'idempotent' })(Increment);

const sumOf = (results) => Object.values(results).reduce((sum, { n }) => sum + n, 0);

class One {
  define(p) {
    return p.output(p.agent('a', Increment, { input: ({ input }) => input }));
  }
}
Pipeline({ name: 'one', description: 'One step', input: N })(One);

class Row {
  define(p) {
    const a = p.agent('a', Increment, { input: ({ input }) => input });
    const b = p.agent('b', Increment, { dependsOn: { a }, input: (known) => known.a });
    return p.output(p.agent('c', Increment, { dependsOn: { b }, input: (known) => known.b }));
  }
}
Pipeline({ name: 'row', description: 'Three steps in a row', input: N })(Row);

class Parallel {
  define(p) {
    const start = (name) => p.agent(name, Increment, { input: ({ input }) => input });
    const first = { a1: start('a1'), a2: start('a2'), a3: start('a3') };
    const then = (name) =>
      p.agent(name, Increment, { dependsOn: first, input: ({ a1, a2, a3 }) => ({ n: sumOf({ a1, a2, a3 }) }) });
    const second = { b1: then('b1'), b2: then('b2'), b3: then('b3') };
    return p.output(second, ({ b1, b2, b3 }) => ({ n: sumOf({ b1, b2, b3 }) }));
  }
}
Pipeline({ name: 'parallel', description: 'Three parallel steps, then three more', input: N })(Parallel);

class BenchModule {}
Module({ providers: [Increment, One, Row, Parallel] })(BenchModule);

/** @param sync when a commit counts as written: `full` (the default) survives a power cut, `normal` the end of the process */
export async function carrel(sync) {
  const dir = await mkdtemp(join(tmpdir(), 'carrel-bench-'));
  const config = loadConfig({
    CARREL_DATA_DIR: dir,
    CARREL_DATA_SYNC: sync,
    CARREL_LOG_LEVEL: 'warn',
    CARREL_USER_STARTS_PER_MINUTE: '1000000',
    CARREL_RUN_SLOTS: '128', // so that 100 are really at work at once
  });
  const app = await createCarrelApp({ config, agents: [BenchModule] });
  await app.init();
  const executions = app.get(ExecutionService);
  const ends = new Map();
  const contexts = Array.from({ length: USERS }, (_, i) => contextOf(`user-${i}`));
  for (const { userId } of contexts) app.get(EventBus).subscribe(userId, (event) => onEvent(event, ends));
  let next = 0;
  const runs = (what) => async (n) => {
    const { run } = await executions.submit(contexts[next++ % USERS], { ...what, input: { n } });
    return new Promise((resolve, reject) => ends.set(run.id, { resolve, reject }));
  };
  const [one, row, parallel] = ['one', 'row', 'parallel'].map((pipeline) => runs({ pipeline }));
  return {
    shapes: { one, row, parallel },
    agent: runs({ agent: 'increment' }),
    async close() {
      await app.close();
      await rm(dir, { recursive: true });
    },
  };
}

function contextOf(userId) {
  return new UserExecutionContext({ userId, requestId: 'req_bench', createdAtMs: Date.now() });
}

/** A run can't end before its submission has: each is a commit of its own. */
function onEvent({ runId, type, json }, ends) {
  if (!isTerminalType(type)) return;
  const { data } = JSON.parse(json);
  const end = ends.get(runId);
  ends.delete(runId);
  if (data.status === 'completed') end.resolve((data.result.output ?? data.result).n);
  else end.reject(new Error(json));
}
