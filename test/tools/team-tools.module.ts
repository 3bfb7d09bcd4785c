import {
  ForbiddenException,
  Injectable,
  Module,
  Scope,
  UseGuards,
  type CanActivate,
  type ExecutionContext,
} from '@nestjs/common';
import { IsInt, Min } from 'class-validator';
import { z } from 'zod';
import { RetryableError, TerminalError } from '../../src/agents/agent-error.js';
import { switchToAgent } from '../../src/agents/agent-execution-context.js';
import { Agent } from '../../src/agents/agent.decorator.js';
import type { AgentRun } from '../../src/agents/agent-run.js';
import type { AgentToolCall } from '../../src/agents/tools/agent-tool-call.js';
import { AgentTool } from '../../src/agents/tools/agent-tool.decorator.js';
import { UserExecutionContext } from '../../src/context/user-execution-context.js';
import { isCarrelError } from '../../src/shared/errors.js';
import type { JsonObject } from '../../src/shared/json.js';

const NOTHING = z.strictObject({});

/** What was really done, by user and thing, in all servers of a spec file. */
export const done: string[] = [];
/** What a tool that waits is let go by: by user. */
export const gates = new Map<string, PromiseWithResolvers<string>>();

export function gateOf(user: string): PromiseWithResolvers<string> {
  const gate = gates.get(user) ?? Promise.withResolvers<string>();
  gates.set(user, gate);
  return gate;
}

class Amount {
  @IsInt()
  @Min(1)
  cents!: number;
}

/** Lets nobody in but those who have the role. */
@Injectable()
class OnlyClerks implements CanActivate {
  canActivate(host: ExecutionContext): boolean {
    const { context, toolCall } = switchToAgent(host);
    if (host.getType<string>() !== 'agent' || !toolCall) throw new Error('no call of a tool');
    if (!context.roles.includes('clerk')) throw new ForbiddenException('only for clerks');
    return true;
  }
}

@Injectable()
class Desk {
  @AgentTool({
    name: 'add',
    description: 'Adds two numbers',
    input: z.strictObject({ a: z.number(), b: z.number() }),
    effect: 'read',
    output: z.object({ sum: z.number() }),
  })
  add({ a, b }: { a: number; b: number }, { context }: AgentToolCall) {
    done.push(`add ${context.userId}`);
    return { sum: a + b };
  }

  @AgentTool({
    name: 'shout',
    description: 'Says it loudly',
    input: z.strictObject({ text: z.string(), password: z.string().optional() }),
    effect: 'read',
  })
  shout({ text }: { text: string }) {
    return text.toUpperCase();
  }

  @AgentTool({ name: 'pay', title: 'Pay', description: 'Pays', input: Amount, needsApproval: true })
  pay({ cents }: Amount, { context, idempotencyKey, callId, agent }: AgentToolCall) {
    done.push(`pay ${context.userId} ${cents}`);
    return { paid: cents, idempotencyKey, callId, agent };
  }

  @AgentTool({ name: 'refuse', description: 'Fails, and says why', input: NOTHING, effect: 'read' })
  refuse() {
    throw new TerminalError('the ledger is closed');
  }

  @AgentTool({ name: 'stumble', description: 'Fails at its first try', input: NOTHING, effect: 'idempotent' })
  stumble(_input: object, { context, idempotencyKey }: AgentToolCall) {
    done.push(`stumble ${context.userId} ${idempotencyKey}`);
    if (done.filter((what) => what.startsWith(`stumble ${context.userId}`)).length === 1)
      throw new RetryableError('busy');
    return 'up again';
  }

  @AgentTool({ name: 'crash', description: 'Fails as nobody expects', input: NOTHING, effect: 'read' })
  crash() {
    throw new Error('connection to db-7.internal refused');
  }

  @AgentTool({ name: 'wait', description: 'Waits until it is let go', input: NOTHING, effect: 'read' })
  async wait(_input: object, { context, signal }: AgentToolCall) {
    const stopped = new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => {
        done.push(`stopped ${context.userId}`);
        reject(signal.reason as Error);
      });
    });
    return Promise.race([gateOf(context.userId).promise, stopped]);
  }

  @AgentTool({ name: 'deaf', description: 'Waits, and hears nothing', input: NOTHING, effect: 'read' })
  async deaf(_input: object, { context }: AgentToolCall) {
    return gateOf(context.userId).promise;
  }

  @AgentTool({ name: 'brief', description: 'Has little time', input: NOTHING, effect: 'read', timeoutMs: 50 })
  async brief(_input: object, { signal }: AgentToolCall) {
    return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
  }

  @AgentTool({
    name: 'steps',
    description: 'Shows how far it is',
    input: z.strictObject({ ms: z.number(), times: z.number() }),
    effect: 'read',
  })
  async steps({ ms, times }: { ms: number; times: number }, call: AgentToolCall) {
    for (let i = 1; i <= times; i++) {
      await new Promise((resolve) => setTimeout(resolve, ms));
      await call.progress(i / times, `part ${i}`);
    }
    return null;
  }

  @AgentTool({
    name: 'flood',
    description: 'Answers with a lot',
    input: z.strictObject({ chars: z.number() }),
    effect: 'read',
  })
  flood({ chars }: { chars: number }) {
    return 'x'.repeat(chars);
  }

  @AgentTool({
    name: 'lie',
    description: 'Promises a number',
    input: NOTHING,
    output: z.object({ n: z.number() }),
    effect: 'read',
  })
  lie() {
    return { n: 'one' };
  }

  @AgentTool({ name: 'survey', description: 'Asks in the middle of its work', input: NOTHING, effect: 'once' })
  async survey(_input: object, { ask, context }: AgentToolCall) {
    done.push(`survey begun ${context.userId}`);
    const { answer, decision } = await ask({ kind: 'question', title: 'Which colour?' });
    done.push(`survey done ${context.userId}`);
    return { colour: answer ?? decision };
  }

  @UseGuards(OnlyClerks)
  @AgentTool({ name: 'ledger', description: 'Reads the ledger', input: NOTHING, effect: 'read' })
  ledger() {
    return 'all is well';
  }
}

/** One for each attempt of each run. */
@Injectable({ scope: Scope.REQUEST })
class Own {
  private calls = 0;

  constructor(private readonly context: UserExecutionContext) {}

  @AgentTool({ name: 'whoami', description: 'Says who calls', input: NOTHING, effect: 'read' })
  whoami(_input: object, call: AgentToolCall) {
    return { injected: this.context.userId, called: call.context.userId, calls: ++this.calls };
  }
}

const Plan = z.object({
  calls: z.array(
    z.object({
      server: z.string().default('app'),
      tool: z.string(),
      args: z.unknown().optional(),
      /** What goes wrong is the call's result. */
      caught: z.boolean().default(false),
    }),
  ),
  /** Calls all at once. */
  together: z.boolean().default(false),
  /** Asks a question when the calls are done. */
  thenAsks: z.boolean().default(false),
  /** Fails once when the calls are done. */
  thenFails: z.boolean().default(false),
});
type Plan = z.output<typeof Plan>;

const failedOnce = new Set<string>();

/** Calls what it is told to call. */
class Caller {
  async run({ calls, together, thenAsks, thenFails }: Plan, run: AgentRun) {
    const results: unknown[] = [];
    const pending = [];
    for (const { server, tool, args, caught } of calls) {
      const call = run.tools.call(server, tool, args as JsonObject | undefined).catch((error: unknown) => {
        if (!caught || !isCarrelError(error)) throw error;
        return { code: error.code, message: error.message, details: error.details };
      });
      pending.push(call);
      if (!together) results.push(await call);
    }
    if (together) results.push(...(await Promise.all(pending)));
    if (thenAsks) results.push((await run.ask({ kind: 'question', title: 'Go on?' })).decision);
    if (thenFails && !failedOnce.has(run.context.runId!)) {
      failedOnce.add(run.context.runId!);
      throw new RetryableError('not yet');
    }
    return { results } as never;
  }
}

function callers(): (new () => Caller)[] {
  return ['caller', 'other-caller', 'safe-caller'].map((name) => {
    class NamedCaller extends Caller {}
    const effect = name === 'safe-caller' ? 'idempotent' : 'once';
    const options = {
      name,
      description: 'Calls tools',
      input: Plan,
      effect,
      retry: { attempts: 3, baseDelayMs: 1 },
    } as const;
    return Agent(options)(NamedCaller as never) as unknown as new () => Caller;
  });
}

/** Tells what it may use. */
@Agent({ name: 'lists-tools', description: 'Lists its tools', input: NOTHING })
class ListsTools {
  async run(_input: object, run: AgentRun) {
    return (await run.tools.list()).map(({ server, tool, needsApproval }) => ({ server, tool, needsApproval }));
  }
}

@Module({ providers: [Desk, Own, OnlyClerks, ListsTools, ...callers()] })
export class TeamToolsModule {}
