import { Module } from '@nestjs/common';
import { z } from 'zod';
import { TerminalError } from '../src/agents/agent-error.js';
import type { AgentPart, AgentProvider } from '../src/agents/agent-provider.js';
import type { AgentRun } from '../src/agents/agent-run.js';
import { Agent } from '../src/agents/agent.decorator.js';
import { UserExecutionContext } from '../src/context/user-execution-context.js';

/** Agents that behave in one particular way each, for tests that go through the real doors. */

const Text = z.object({ text: z.string().default('') });

/** Says what it was given and who it works for, by every means there is. */
@Agent({ name: 'echo', description: 'Echoes a text', input: Text, effect: 'idempotent' })
class EchoAgent implements AgentProvider<z.output<typeof Text>> {
  private heard = '';

  constructor(private readonly context: UserExecutionContext) {}

  async run({ text }: z.output<typeof Text>, run: AgentRun) {
    this.heard = text;
    await run.thinking(`heard ${text}`, { step: 1, progress: 0.5 });
    const looked = await run.tool('look', { text }, async () => ({ text }));
    return { text: this.heard, looked: looked.text, userId: this.context.userId, runId: run.context.runId };
  }
}

const Pace = z.object({ ms: z.number().default(20), text: z.string().default('') });

/** Waits, but not when it is told to stop. */
@Agent({ name: 'wait', description: 'Waits and stops when told to', input: Pace, effect: 'idempotent' })
class WaitAgent implements AgentProvider<z.output<typeof Pace>> {
  async run({ ms, text }: z.output<typeof Pace>, run: AgentRun) {
    await run.thinking(`waiting with ${text}`);
    await pause(ms, run.signal);
    return { waitedMs: ms, text };
  }
}

/** The same, with effects that must not be had twice. */
@Agent({ name: 'wait-once', description: 'Waits; must not be run twice', input: Pace })
class WaitOnceAgent extends WaitAgent {}

/** Has too little time for what it does. */
@Agent({ name: 'slow-to-time-out', description: 'Times out', input: Pace, timeoutMs: 60, retry: { attempts: 1 } })
class TimeOutAgent extends WaitAgent {}

/** Goes on whatever its signal says. */
@Agent({ name: 'stubborn', description: 'Ignores its signal', input: Pace, retry: { attempts: 1 } })
class StubbornAgent implements AgentProvider<z.output<typeof Pace>> {
  async run({ ms, text }: z.output<typeof Pace>, run: AgentRun) {
    void run.tool('never-ends', {}, () => pause(ms));
    await pause(ms);
    await run.thinking(`still here with ${text}`).catch(() => undefined);
    return { text };
  }
}

/** Holds the thread. */
@Agent({ name: 'block', description: 'Blocks the thread', input: Pace, timeoutMs: 50, retry: { attempts: 1 } })
class BlockAgent implements AgentProvider<z.output<typeof Pace>> {
  run({ ms }: z.output<typeof Pace>) {
    for (const end = performance.now() + ms; performance.now() < end;);
    return { blockedMs: ms };
  }
}

/** Does nothing that could be taken for progress. */
@Agent({ name: 'silent', description: 'Shows no sign of life', input: Pace, timeoutMs: 60_000, retry: { attempts: 1 } })
class SilentAgent implements AgentProvider<z.output<typeof Pace>> {
  async run({ ms }: z.output<typeof Pace>, run: AgentRun) {
    await pause(ms, run.signal);
    return 'alive after all';
  }
}

const Failure = z.object({
  how: z.enum(['error', 'string', 'nothing', 'terminal', 'circular', 'function', 'deep', 'null']).default('error'),
  text: z.string().default(''),
});

/** Ends badly in a way of one's choice. */
@Agent({ name: 'fail', description: 'Fails', input: Failure, retry: { attempts: 1 } })
class FailAgent implements AgentProvider<z.output<typeof Failure>> {
  async run({ how, text }: z.output<typeof Failure>): Promise<unknown> {
    const circular: Record<string, unknown> = {};
    circular.self = circular;
    switch (how) {
      case 'error':
        throw new Error(`secret details: ${text}`);
      case 'string':
        // eslint-disable-next-line no-throw-literal
        throw `a text about ${text}`;
      case 'nothing':
        return undefined;
      case 'null':
        return null;
      case 'circular':
        return circular;
      case 'function':
        return () => undefined;
      case 'deep':
        return JSON.parse(`${'['.repeat(11)}${']'.repeat(11)}`);
      case 'terminal':
        throw new TerminalError(text);
    }
  }
}

const Flaky = z.object({ failures: z.number().default(1) });

/** Fails as often as it is asked to, then succeeds. */
@Agent({ name: 'flaky', description: 'Fails at first', input: Flaky, retry: { attempts: 4, baseDelayMs: 1 } })
class FlakyAgent implements AgentProvider<z.output<typeof Flaky>> {
  private calls = 0;

  async run({ failures }: z.output<typeof Flaky>, run: AgentRun) {
    this.calls++;
    await run.thinking(`attempt ${run.context.attempt}`);
    if (run.context.attempt <= failures) throw new Error('not yet');
    return { attempt: run.context.attempt, callsOfThisInstance: this.calls };
  }
}

/** May be run again when the server stopped, but not when it has failed. */
@Agent({ name: 'once-more', description: 'Is tried once', input: Flaky, effect: 'idempotent', retry: { attempts: 1 } })
class OnceMoreAgent extends FlakyAgent {}

const Chatter = z.object({ events: z.number().default(10), text: z.string().default('') });

/** Emits many events. */
@Agent({ name: 'chatter', description: 'Emits many events', input: Chatter, timeoutMs: 60_000, effect: 'idempotent' })
class ChatterAgent implements AgentProvider<z.output<typeof Chatter>> {
  async run({ events, text }: z.output<typeof Chatter>, run: AgentRun) {
    for (let i = 1; i <= events; i++) {
      await run.thinking(`${text} ${i}`, { step: i });
      if (i % 10 === 0) await pause(0, run.signal);
    }
    return { events };
  }
}

/** Emits after its end. */
@Agent({ name: 'late', description: 'Emits after its end', input: Pace })
class LateAgent implements AgentProvider<z.output<typeof Pace>> {
  async run({ ms, text }: z.output<typeof Pace>, run: AgentRun) {
    setTimeout(() => {
      void run.thinking(`too late with ${text}`);
      void run.delta(`too late with ${text}`);
    }, ms);
    return { text };
  }
}

/** Yields its answer in pieces. */
@Agent({ name: 'stream', description: 'Streams a text', input: Text })
class StreamAgent implements AgentProvider<z.output<typeof Text>> {
  async *run({ text }: z.output<typeof Text>): AsyncGenerator<AgentPart, void, void> {
    yield { type: 'thinking', thought: 'about to speak' };
    for (const word of text.split(' ')) yield `${word} `;
  }
}

@Module({
  providers: [
    EchoAgent,
    WaitAgent,
    WaitOnceAgent,
    TimeOutAgent,
    StubbornAgent,
    BlockAgent,
    SilentAgent,
    FailAgent,
    FlakyAgent,
    OnceMoreAgent,
    ChatterAgent,
    LateAgent,
    StreamAgent,
  ],
})
export class ScriptedAgentsModule {}

/** Resolves after a while; rejects when the signal says so. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason as Error);
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop);
      resolve();
    }, ms);
    const stop = () => {
      clearTimeout(timer);
      reject(signal?.reason as Error);
    };
    signal?.addEventListener('abort', stop, { once: true });
  });
}
