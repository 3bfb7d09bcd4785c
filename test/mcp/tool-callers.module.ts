import { Module } from '@nestjs/common';
import { z } from 'zod';
import type { AgentProvider } from '../../src/agents/agent-provider.js';
import type { AgentRun } from '../../src/agents/agent-run.js';
import { Agent } from '../../src/agents/agent.decorator.js';
import { isCarrelError } from '../../src/shared/errors.js';
import type { JsonObject } from '../../src/shared/json.js';

const Calls = z.object({
  calls: z.array(
    z.object({ server: z.string(), tool: z.string(), args: z.record(z.string(), z.unknown()).default({}) }),
  ),
  /** All at once, instead of one after the other. */
  together: z.boolean().default(false),
  /** Failures become results. */
  caught: z.boolean().default(false),
});

/** Calls the tools it is told to, and gives back what they answered. */
@Agent({ name: 'caller', description: 'Calls tools', input: Calls, retry: { attempts: 1 } })
class Caller implements AgentProvider<z.output<typeof Calls>> {
  async run({ calls, together, caught }: z.output<typeof Calls>, run: AgentRun) {
    const call = async ({ server, tool, args }: (typeof calls)[number]) => {
      try {
        const { text, structured, content } = await run.tools.call(server, tool, args as JsonObject);
        return { text, content, ...(structured !== undefined && { structured }) };
      } catch (error) {
        if (!caught || !isCarrelError(error)) throw error;
        return { failed: error.code, message: error.message, retryable: error.retryable };
      }
    };
    if (together) return { results: await Promise.all(calls.map(call)) };
    const results = [];
    for (const one of calls) results.push(await call(one));
    return { results };
  }
}

/** Says what tools there are. */
@Agent({ name: 'lister', description: 'Lists tools', input: z.object({}), retry: { attempts: 1 } })
class Lister implements AgentProvider {
  async run(_input: unknown, run: AgentRun) {
    const tools = await run.tools.list();
    return tools.map(({ server, tool, effect, destructive, openWorld }) => ({
      server,
      tool,
      effect,
      destructive,
      openWorld,
    }));
  }
}

@Module({ providers: [Caller, Lister] })
export class ToolCallersModule {}
