import { Module } from '@nestjs/common';
import { z } from 'zod';
import { UserExecutionContext } from '../../src/context/user-execution-context.js';
import type { EventJournal } from '../../src/events/event-journal.port.js';
import { RunEmitter } from '../../src/events/run-emitter.js';
import { ExecutionEngineFactory } from '../../src/execution/execution-engine.factory.js';
import { Agent, type AgentProvider, type AgentRun } from '../../src/index.js';
import { systemClock } from '../../src/shared/clock.js';
import { newId, type RunId, type UserId } from '../../src/shared/ids.js';
import type { CarrelServer, RunJson } from '../carrel-server.js';
import { ScriptedJournal } from '../events/scripted-journal.js';
import type { Gate } from '../execution/engine-host.js';

const Task = z.object({ task: z.string().default(''), fails: z.boolean().default(false) });
type Task = z.output<typeof Task>;

/** What agents were made with, in the order of their calls. */
export const contexts: UserExecutionContext[] = [];
export const inputs: unknown[] = [];

@Agent({ name: 'process', description: 'Processes a task', input: Task, effect: 'idempotent', retry: { attempts: 1 } })
class ProcessAgent implements AgentProvider<Task> {
  private executionResult = '';

  constructor(private readonly context: UserExecutionContext) {}

  async run(input: Task, run: AgentRun) {
    contexts.push(this.context);
    inputs.push(input);
    await run.thinking(`on ${input.task}`);
    await Promise.resolve();
    if (input.fails) throw new Error(`secret of ${this.context.userId}`);
    this.executionResult = `Processed: ${input.task}`;
    return { executionResult: this.executionResult, prompt: this.context.metadata['user_prompt'] ?? null };
  }
}

/** By user: what holds their agents up. */
export const gates = new Map<string, Gate>();

@Agent({ name: 'held', description: 'Is held up by the test', input: Task, effect: 'idempotent' })
class HeldAgent implements AgentProvider<Task> {
  async run({ task }: Task, run: AgentRun) {
    await gates.get(run.context.userId)?.pass();
    return { task };
  }
}

@Module({ providers: [ProcessAgent, HeldAgent] })
export class OriginalModule {}

export interface FullRun extends RunJson {
  metadata: Record<string, unknown>;
  createdAt: string;
  startedAt: string;
  endedAt: string;
}

/** A context as code has it that works for a user. */
export function contextOf(userId: string, more: { runId?: RunId; metadata?: Record<string, string> } = {}) {
  return new UserExecutionContext({
    userId: userId as UserId,
    requestId: newId('req'),
    threadId: newId('thr'),
    createdAtMs: systemClock.now(),
    ...more,
  });
}

/** An engine of the server's own factory, whose events go nowhere but to the test. */
export function engineFor(server: CarrelServer, userId: string) {
  const journal = new ScriptedJournal();
  const context = contextOf(userId, { runId: newId('run') });
  const target = { userId: context.userId, runId: context.runId!, fence: 1 };
  const emitter = new RunEmitter(target, journal as unknown as EventJournal, systemClock, 32_768, () => undefined);
  return { context, journal, engine: server.app.get(ExecutionEngineFactory).createUserEngine(context, emitter) };
}
