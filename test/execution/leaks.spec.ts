import { Injectable, Module, Scope } from '@nestjs/common';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { z } from 'zod';
import { Agent } from '../../src/agents/agent.decorator.js';
import type { AgentRun } from '../../src/agents/agent-run.js';
import { UserExecutionContext } from '../../src/context/user-execution-context.js';
import { ExecutionEngineFactory } from '../../src/execution/execution-engine.factory.js';
import { CarrelServer, isTerminal, type RecordingSocket } from '../carrel-server.js';
import { untilAborted } from './engine-host.js';

const RUNS = 2_000;
/** What is still on some stack or in some cache of the last run. */
const LEFT_OVER = 20;

const made: WeakRef<object>[] = [];

@Injectable({ scope: Scope.REQUEST })
class Notes {
  readonly text = 'x'.repeat(1_000);

  constructor(readonly context: UserExecutionContext) {
    made.push(new WeakRef(this), new WeakRef(context), new WeakRef(context.signal));
  }
}

@Agent({ name: 'notes', description: 'Ends in many ways', input: z.any(), retry: { attempts: 1 }, timeoutMs: 20 })
class NotesAgent {
  constructor(readonly notes: Notes) {
    made.push(new WeakRef(this));
  }

  async run({ n }: { n: number }, run: AgentRun) {
    made.push(new WeakRef(run));
    run.onDispose(() => void this.notes);
    void run.delta('text');
    await run.tool('look', {}, async () => n);
    if (n % 4 === 1) throw new Error('oops');
    if (n % 4 === 2) await untilAborted(run);
    return { n };
  }
}

@Module({ providers: [Notes, NotesAgent] })
class NotesModule {}

/** Collects all garbage, as `node --expose-gc` could. */
function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
}

describe(`after ${RUNS} runs`, () => {
  it('no context is live, and nothing that was made for a run is in memory any more', async () => {
    await using server = await CarrelServer.start({
      agents: [NotesModule],
      env: { CARREL_USER_MAX_RUNNING: '50', CARREL_USER_MAX_QUEUED: String(RUNS) },
    });
    const users = await Promise.all(['alice', 'bob'].map((id) => server.as(id)));
    const sockets = await Promise.all(users.map((user) => user.connect({ after: 0 })));
    await Promise.all(
      Array.from({ length: RUNS }, (_, n) => sockets[n % 2]!.emit('run:start', { agent: 'notes', input: { n } })),
    );
    await Promise.all(sockets.map((socket) => sawTheEnds(socket, RUNS / 2)));

    const report = server.app.get(ExecutionEngineFactory).report();
    expect(report).toEqual({ created: RUNS, disposed: RUNS, active: 0, failedCleanUps: 0, liveContexts: 0 });
    expect(made.length).toBe(RUNS * 5);
    await new Promise((resolve) => setTimeout(resolve, 50)); // a WeakRef is strong until its turn of the event loop ends
    collectGarbage();
    const left = made.filter((one) => one.deref() !== undefined);
    expect(left.length).toBeLessThanOrEqual(LEFT_OVER);
  }, 60_000);
});

async function sawTheEnds(socket: RecordingSocket, runs: number): Promise<void> {
  const ended = new Set<string>();
  await socket.until((event) => isTerminal(event) && ended.add(event.runId).size === runs, 50_000);
}
