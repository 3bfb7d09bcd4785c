import { Module } from '@nestjs/common';
import type { AgentRun } from '../../src/agents/agent-run.js';
import type { RunId } from '../../src/shared/ids.js';
import { scripted } from '../execution/engine-host.js';
import { pause } from '../scripted-agents.module.js';

/** How long agents need to come down when they are told to. */
const DOWN_MS = 60;
const TRIES = 12;

/** What the agents say of themselves. */
class WorkRecords {
  /** Work of each run that has not come down. */
  private readonly atWork = new Map<RunId, number>();
  /** Steps and tools that were begun by agents that had been told to stop. */
  readonly begunLate: string[] = [];
  /** Work, and attempts to add something, that still go on. */
  private readonly efforts = new Set<Promise<unknown>>();

  isAtWork(runId: string): boolean {
    return (this.atWork.get(runId as RunId) ?? 0) > 0;
  }

  /** Does something, and when told to stop tries on and on to add to its run. */
  work<T>(run: AgentRun, what: () => Promise<T>): Promise<T> {
    const work = this.workOf(run, what);
    this.track(work.catch(() => undefined));
    return work;
  }

  /** Until nobody is at work or tries any more. */
  async quiet(): Promise<void> {
    while (this.efforts.size > 0) await Promise.all(this.efforts);
  }

  private async workOf<T>(run: AgentRun, what: () => Promise<T>): Promise<T> {
    const runId = run.context.runId!;
    this.count(runId, 1);
    try {
      return await what();
    } finally {
      if (run.signal.aborted) {
        this.track(this.persist(run));
        await pause(Math.random() * DOWN_MS);
      }
      this.count(runId, -1);
    }
  }

  /** By every means there is, for longer than anybody waits for it. */
  private async persist(run: AgentRun): Promise<void> {
    const say = () => void this.begunLate.push(run.context.runId!);
    for (let i = 0; i < TRIES; i++) {
      const tries = [
        run.thinking('not yet'),
        run.delta('more'),
        run.tool('late', {}, async () => say()),
        run.step('late', say, { effect: 'idempotent' }),
        run.spawn('depth', { depth: 1 }),
        run.ask({ kind: 'question', title: 'Really?' }),
      ];
      await Promise.allSettled(tries);
      await pause(40);
    }
  }

  private track(effort: Promise<unknown>): void {
    this.efforts.add(effort);
    void effort.finally(() => this.efforts.delete(effort));
  }

  private count(runId: RunId, by: 1 | -1): void {
    this.atWork.set(runId, (this.atWork.get(runId) ?? 0) + by);
  }
}

export const records = new WorkRecords();
const A_MINUTE = 60_000;
const ALWAYS = { retry: { attempts: 1 }, timeoutMs: 120_000 } as const;

/** Waits as polite agents do. */
const waits = (run: AgentRun) => records.work(run, () => pause(A_MINUTE, run.signal));
/** Waits whatever it is told, but not for ever. */
const waitsDeaf = (run: AgentRun) => records.work(run, () => pause(4_000));

const agents = [
  scripted('busy', async (run) => (await run.thinking('at it'), waits(run)), ALWAYS),
  scripted('in-step', (run) => run.step('work', () => waits(run), { effect: 'read' }), ALWAYS),
  scripted('in-tool', (run) => run.tool('work', {}, () => waits(run)), ALWAYS),
  scripted(
    'depth',
    async (run, { depth, deaf }) => {
      await run.thinking(`at depth ${depth as number}`);
      if (depth === 1) return deaf ? waitsDeaf(run) : waits(run);
      return records.work(run, () => run.spawn('depth', { depth: (depth as number) - 1, deaf }));
    },
    ALWAYS,
  ),
  scripted('hopeless', () => Promise.reject(new Error('no')), { retry: { attempts: 3, baseDelayMs: A_MINUTE } }),
  scripted(
    'naps',
    (run) =>
      records.work(run, async () => {
        for (let i = 0; i < 60; i++) await run.sleep(900);
      }),
    ALWAYS,
  ),
  scripted('sleeps', (run) => records.work(run, () => run.sleep(3_600_000)), ALWAYS),
  scripted('asks', (run) => records.work(run, () => run.ask({ kind: 'approval', title: 'May I?' })), ALWAYS),
  scripted('deaf', async (run) => (await run.thinking('at it'), waitsDeaf(run)), ALWAYS),
  scripted(
    'tidies-up',
    (run) => {
      run.onDispose(() => records.work(run, () => pause(100)));
      return waits(run);
    },
    ALWAYS,
  ),
  scripted('short', async (run, { n }) => (await run.thinking('short'), { n }), ALWAYS),
];

@Module({ providers: agents })
export class CancelledAgentsModule {}
