import { Module } from '@nestjs/common';
import type { AgentRun } from '../../src/agents/agent-run.js';
import type { RunId } from '../../src/shared/ids.js';
import { scripted } from '../execution/engine-host.js';
import { pause } from '../scripted-agents.module.js';

/** What the agents say of who was at work in which thread. */
class ThreadRecords {
  private readonly atWork = new Map<string, Set<RunId>>();
  /** Begins and ends in their order: `alice t1 run_…` */
  readonly begun: { readonly thread: string; readonly runId: RunId }[] = [];
  readonly collisions: string[] = [];

  async work<T>({ context }: AgentRun, what: () => Promise<T>): Promise<T> {
    const { userId, threadId, runId } = context;
    const thread = `${userId} ${threadId}`;
    const here = this.atWork.get(thread) ?? new Set<RunId>();
    this.atWork.set(thread, here);
    if (here.size > 0 && !here.has(runId!))
      this.collisions.push(`${runId} began in ${thread} beside ${[...here].join()}`);
    here.add(runId!);
    this.begun.push({ thread, runId: runId! });
    try {
      return await what();
    } finally {
      here.delete(runId!);
    }
  }

  /** Runs of a thread in the order of their first begin. */
  orderOf(thread: string): RunId[] {
    return [...new Set(this.begun.filter((one) => one.thread === thread).map(({ runId }) => runId))];
  }
}

export const threads = new ThreadRecords();
const ONE_TRY = { retry: { attempts: 1 }, timeoutMs: 60_000 } as const;

const agents = [
  /** Works for a while, and takes its time to come down when it is told to. */
  scripted(
    'talks',
    (run, { ms = 5, downMs = 0, text = '' }) =>
      threads.work(run, async () => {
        await run.thinking(text as string);
        try {
          await pause(ms as number, run.signal);
        } finally {
          if (run.signal.aborted) await pause(downMs as number);
        }
        return { text };
      }),
    ONE_TRY,
  ),
  scripted('asks', (run) => threads.work(run, () => run.ask({ kind: 'approval', title: 'May I?' })), ONE_TRY),
  scripted('fails', (run) => threads.work(run, () => Promise.reject(new Error('no'))), ONE_TRY),
];

@Module({ providers: agents })
export class ThreadAgentsModule {}
