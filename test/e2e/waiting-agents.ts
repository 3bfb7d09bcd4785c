import { Module } from '@nestjs/common';
import { scripted } from '../execution/engine-host.js';
import { pause } from '../scripted-agents.module.js';

/** How often what stands before each question was really done, by the text that the run was given. */
export const done = new Map<string, number>();

const FOR_LONG = { timeoutMs: 120_000, retry: { attempts: 1 } } as const;

const agents = [
  /** Does something once, asks, and goes on with the answer. */
  scripted(
    'asks',
    async (run, { text = '', approvers, expiresInMs }) => {
      await run.step('prepare', () => void done.set(text as string, (done.get(text as string) ?? 0) + 1), {
        effect: 'idempotent',
      });
      const ask = { kind: 'approval', title: `${text as string}?`, expiresInMs, approvers } as never;
      const { decision, decidedBy } = await run.ask(ask);
      return { decision, decidedBy: decidedBy ?? null, text };
    },
    FOR_LONG,
  ),
  /** The same, with something beside it that keeps it from being suspended. */
  scripted(
    'asks-while-busy',
    async (run, { expiresInMs, ms }) => {
      const ask = run.ask({ kind: 'question', title: 'Well?', expiresInMs: expiresInMs as number });
      const busy = run.step('busy', () => pause(ms as number, run.signal), { effect: 'read' });
      const { decision } = await ask;
      const inTime = !run.signal.aborted;
      await busy.catch(() => undefined);
      return { decision, inTime };
    },
    FOR_LONG,
  ),
  scripted(
    'sleeps',
    async (run, { ms }) => {
      const began = await run.step('begin', () => Date.now(), { effect: 'read' });
      await run.sleep(ms as number);
      return { began };
    },
    FOR_LONG,
  ),
  scripted('quick', async (run, { text }) => (await run.thinking('quick'), { text }), FOR_LONG),
];

@Module({ providers: agents })
export class WaitingAgentsModule {}
