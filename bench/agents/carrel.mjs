/** The real application, embedded: the run, both calls of the model and the tool's are recorded, every event journalled and delivered. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Module } from '@nestjs/common';
import { z } from 'zod';
import { Agent, AgentTool, createCarrelApp, ExecutionService, LlmAgent, loadConfig } from '../../dist/index.js';
import { UserExecutionContext } from '../../dist/index.js';
import { EventBus } from '../../dist/events/event-bus.js';
import { isTerminalType } from '../../dist/events/run-event.js';
import { model } from './script.mjs';

const USERS = 100;

class Tools {
  add({ a, b }) {
    return a + b;
  }
}
const Numbers = z.object({ a: z.number(), b: z.number() });
AgentTool({ name: 'add', description: 'adds', input: Numbers, effect: 'read' })(Tools.prototype, 'add');

class Adder extends LlmAgent {
  tools = ['app/add'];
  instructions() {
    return 'sys';
  }
  prompt({ text }) {
    return text;
  }
}
Agent({ name: 'adder', description: 'Adds', input: z.object({ text: z.string() }), effect: 'idempotent' })(Adder);

class BenchModule {}
Module({ providers: [Tools, Adder] })(BenchModule);

/** @param agent `adder`, or the shipped `assistant`, which also keeps the conversation */
export async function carrel(agent) {
  const dir = await mkdtemp(join(tmpdir(), 'carrel-bench-'));
  const config = loadConfig({
    CARREL_DATA_DIR: dir,
    CARREL_LOG_LEVEL: 'warn',
    CARREL_USER_STARTS_PER_MINUTE: '1000000',
    CARREL_RUN_SLOTS: '128', // so that 100 are really at work at once
  });
  const app = await createCarrelApp({ config, agents: [BenchModule], models: { default: model } });
  await app.init();
  const executions = app.get(ExecutionService);
  const ends = new Map();
  const contexts = Array.from(
    { length: USERS },
    (_, i) => new UserExecutionContext({ userId: `user-${i}`, requestId: 'req_bench', createdAtMs: Date.now() }),
  );
  for (const { userId } of contexts) app.get(EventBus).subscribe(userId, (event) => onEvent(event, ends));
  let next = 0;
  return {
    async run() {
      const { run } = await executions.submit(contexts[next++ % USERS], { agent, input: { text: 'hi' } });
      return new Promise((resolve, reject) => ends.set(run.id, { resolve, reject }));
    },
    async close() {
      await app.close();
      await rm(dir, { recursive: true });
    },
  };
}

/** A run can't end before its submission has: each is a commit of its own. */
function onEvent({ runId, type, json }, ends) {
  if (!isTerminalType(type)) return;
  const { data } = JSON.parse(json);
  const end = ends.get(runId);
  ends.delete(runId);
  if (data.status === 'completed') end.resolve(data.result.text);
  else end.reject(new Error(json));
}
