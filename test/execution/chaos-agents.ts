import type { Type } from '@nestjs/common';
import type { AgentRun } from '../../src/agents/agent-run.js';
import type { JsonValue } from '../../src/shared/json.js';
import type { RunId } from '../../src/shared/ids.js';
import { scripted } from './engine-host.js';

/** What an agent does on its way. A gate is passed when the driver opens it; a deaf one, whatever the signal says. */
export type Act =
  'gate' | 'deafGate' | 'nap' | 'sleep' | 'ask' | 'askBriefly' | 'step' | 'flakyStep' | 'spawn' | 'tool';

/** What an agent is told to do, and where in its pipeline it is. */
export interface Part {
  readonly at: string;
  /** Of an item or a round. */
  readonly index?: number | null;
  readonly acts: readonly Act[];
  /** Attempts that fail before one does not. */
  readonly failures: number;
}

/** One execution of an agent, by its own account. Moments are places in one order of all that the agents did. */
export interface Execution {
  readonly runId: RunId;
  readonly at: string;
  readonly begunAt: number;
  endedAt?: number;
  outcome?: 'returned' | 'failed' | 'stopped';
}

/** What all agents of one case did, and the gates at which some of them are held up. */
export class Doings {
  readonly executions: Execution[] = [];
  /** How often each step of an agent was done to its end. */
  readonly steps = new Map<string, number>();
  readonly gates = new Map<object, () => void>();
  /** Calls that were let through after the run's end. */
  readonly lateWrites: string[] = [];
  /** Most agents of a run that were at work at once. */
  readonly most = new Map<RunId, number>();
  private readonly atWork = new Map<RunId, number>();
  private readonly failed = new Map<string, number>();
  private moment = 0;

  begin(runId: RunId, at: string): Execution {
    const execution: Execution = { runId, at, begunAt: ++this.moment };
    this.executions.push(execution);
    this.count(runId, 1);
    return execution;
  }

  end(execution: Execution, outcome: Execution['outcome']): void {
    if (execution.outcome) return;
    execution.outcome = outcome;
    execution.endedAt = ++this.moment;
    this.count(execution.runId, -1);
  }

  /** How often this has happened before. */
  times(key: string): number {
    const times = this.failed.get(key) ?? 0;
    this.failed.set(key, times + 1);
    return times;
  }

  stepDone(key: string): void {
    this.steps.set(key, (this.steps.get(key) ?? 0) + 1);
  }

  async pass(signal?: AbortSignal): Promise<void> {
    const gate = {};
    const passed = Promise.withResolvers<void>();
    const stop = () => passed.reject(signal?.reason as Error);
    this.gates.set(gate, passed.resolve);
    signal?.addEventListener('abort', stop, { once: true });
    if (signal?.aborted) stop();
    try {
      await passed.promise;
    } finally {
      this.gates.delete(gate);
      signal?.removeEventListener('abort', stop);
    }
  }

  private count(runId: RunId, by: 1 | -1): void {
    const now = (this.atWork.get(runId) ?? 0) + by;
    this.atWork.set(runId, now);
    this.most.set(runId, Math.max(this.most.get(runId) ?? 0, now));
  }
}

/** Agents that do as they are told and keep account of it, for the case that is under way. */
export class Cast {
  doings = new Doings();

  readonly agents: readonly Type[] = [
    scripted('node', (run, input) => this.play(run, input as unknown as Part), {
      effect: 'idempotent',
      retry: { attempts: 2, baseDelayMs: 1_000 },
    }),
    scripted('node-once', (run, input) => this.play(run, input as unknown as Part), {
      retry: { attempts: 2, baseDelayMs: 1_000 },
    }),
    scripted('child', async (run, { acts, at }) => {
      for (const [i, act] of (acts as Act[]).entries()) await this.act(act, run, `${at as string}>${i}`);
      return `child of ${at as string}`;
    }),
  ];

  private async play(run: AgentRun, { at: place, index, acts, failures }: Part): Promise<JsonValue> {
    const { doings } = this;
    const runId = run.context.runId!;
    const at = typeof index === 'number' ? `${place}/${index + 1}` : place;
    const execution = doings.begin(runId, at);
    run.signal.addEventListener('abort', () => doings.end(execution, 'stopped'), { once: true });
    try {
      for (const [i, act] of acts.entries()) await this.act(act, run, `${at}:${i}`);
      if (doings.times(`${runId} ${at}`) < failures) throw new Error(`${at} fails`);
      doings.end(execution, 'returned');
      return { at, ok: true };
    } catch (error) {
      doings.end(execution, run.signal.aborted ? 'stopped' : 'failed');
      if (run.signal.aborted) await this.writeOn(run, at);
      throw error;
    }
  }

  private async act(act: Act, run: AgentRun, key: string): Promise<void> {
    const { doings } = this;
    const id = `${run.context.runId} ${key}`;
    switch (act) {
      case 'gate':
        return doings.pass(run.signal);
      case 'deafGate':
        await doings.pass();
        if (run.signal.aborted) await this.writeOn(run, key);
        return;
      case 'nap':
        return run.sleep(300);
      case 'sleep':
        return run.sleep(20_000);
      case 'ask':
      case 'askBriefly': {
        const expiresInMs = act === 'askBriefly' ? 5_000 : 3_600_000;
        await run.ask({ kind: 'question', title: `${key}?`, expiresInMs });
        return;
      }
      case 'step':
        await run.step('once', () => doings.stepDone(id), { effect: 'idempotent' });
        return;
      case 'flakyStep':
        await run.step(
          'flaky',
          () => {
            if (doings.times(id) === 0) throw new Error('not yet');
            doings.stepDone(id);
          },
          { effect: 'idempotent', retry: { attempts: 2, baseDelayMs: 500 } },
        );
        return;
      case 'spawn':
        await run.spawn('child', { at: key, acts: ['gate', 'tool'] });
        return;
      case 'tool':
        await run.thinking(key);
        await run.tool('look', { key }, async () => key);
    }
  }

  /** Tries to add something after it was stopped, as careless agents do. What is let in must be from before the end. */
  private async writeOn(run: AgentRun, key: string): Promise<void> {
    void run.thinking(`late ${key}`).catch(() => undefined);
    void run.tool('late', {}, async () => key).catch(() => undefined);
    void run.step('late', () => void this.doings.lateWrites.push(key), { effect: 'read' }).catch(() => undefined);
  }
}
