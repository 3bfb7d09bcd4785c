import { Agent } from '../../../agents/agent.decorator.js';
import type { AgentProvider } from '../../../agents/agent-provider.js';
import { AgentRegistry } from '../../../agents/agent-registry.service.js';
import type { AgentRun, SpawnOptions } from '../../../agents/agent-run.js';
import type { ToolRef } from '../../../agents/tools/tool-definition.js';
import type { ToolResult } from '../../../agents/tools/tool-result.js';
import { isCarrelError, type ErrorCode } from '../../../shared/errors.js';
import type { JsonValue } from '../../../shared/json.js';
import { RequestAnalyser } from '../analysis/request-analyser.service.js';
import type { RequestDecision, ToolCandidate } from '../analysis/request-decision.js';
import { toolsInput, type ToolsInput, type WordsInput } from './tools.input.js';

/** The agent's name: tools are called by it, so that the operator's policy can have rules of its own for it. */
export const TOOLS_AGENT = 'tools';

/** Which way a request went, and what came of it. */
export type ToolsResult = {
  /** For people: why this way. */
  readonly why: string;
  /** Left out when the call was asked for as such. */
  readonly decision?: RequestDecision;
} & (
  | { readonly way: 'mcp'; readonly call: ToolRef; readonly result: ToolResult }
  | {
      readonly way: 'standard';
      readonly agent: string;
      readonly result: JsonValue;
      /** What the tool failed with, when the request wants the standard agent to answer then. */
      readonly toolError?: { readonly code: ErrorCode; readonly message: string };
    }
);

/** Carries a request out with the tool that it needs, or has the standard agent answer. No model takes part in it. */
@Agent({
  name: TOOLS_AGENT,
  description:
    'Finds out which of your tools a request in plain words needs, takes the arguments from the text, checks them and calls the tool. What needs no tool, or does not tell enough, goes to the standard agent. It uses no language model.',
  input: toolsInput,
  example: { text: 'Read the file notes/plan.txt' },
  timeoutMs: 600_000, // how long a tool may take is the tool's to say
  effect: 'idempotent',
})
export class ToolsAgent implements AgentProvider<ToolsInput, ToolsResult> {
  constructor(
    private readonly analyser: RequestAnalyser,
    private readonly agents: AgentRegistry,
  ) {}

  async run(input: ToolsInput, run: AgentRun): Promise<ToolsResult> {
    if ('call' in input) {
      const { server, tool, arguments: args } = input.call;
      const why = 'the call was asked for as such';
      await run.thinking(`Calling "${tool}" of "${server}": ${why}`, { step: 1 });
      return { way: 'mcp', why, call: { server, tool }, result: await run.tools.call(server, tool, args) };
    }
    // recorded, so that the run takes the same way again when it goes on, whatever tools there are by then
    const decision = await run.step<JsonValue>('analyse', () => this.analyse(input, run), { effect: 'read' });
    return this.goOn(input, decision as unknown as RequestDecision, run);
  }

  private async analyse({ text, arguments: args, server, tool }: WordsInput, run: AgentRun): Promise<JsonValue> {
    const tools = await run.tools.list();
    const decision = await this.analyser.analyse(run.context, tools, { text, arguments: args, server, tool });
    return decision as unknown as JsonValue;
  }

  private async goOn(input: WordsInput, decision: RequestDecision, run: AgentRun): Promise<ToolsResult> {
    const { requiresMcp, reason, candidates } = decision;
    const first = candidates[0];
    if (!requiresMcp || !first) return this.answer(input, decision, reason, run);
    await run.thinking(`Calling "${first.tool}" of "${first.server}": ${reason}`, { step: 2 });
    try {
      return { way: 'mcp', why: reason, decision, call: refOf(first), result: await this.call(first, run) };
    } catch (error) {
      run.signal.throwIfAborted();
      if (input.onToolError === 'fail' || !isCarrelError(error)) throw error;
      const toolError = { code: error.code, message: error.message };
      const failed = { name: `${first.server}/${first.tool}`, reason: error.message };
      const why = `"${first.tool}" of "${first.server}" failed: ${error.message}`;
      return { ...(await this.answer(input, decision, why, run, failed)), toolError } as ToolsResult;
    }
  }

  private call({ server, tool, arguments: args }: ToolCandidate, run: AgentRun): Promise<ToolResult> {
    return run.tools.call(server, tool, args);
  }

  private async answer(
    { text, standardAgent }: WordsInput,
    decision: RequestDecision,
    why: string,
    run: AgentRun,
    insteadOf?: SpawnOptions['insteadOf'],
  ): Promise<ToolsResult> {
    const agent = standardAgent ?? (this.agents.find('assistant') ? 'assistant' : 'summarise');
    await run.thinking(`No tool: "${agent}" answers, for ${why}`, { step: 2 });
    return { way: 'standard', why, decision, agent, result: await run.spawn(agent, { text }, { insteadOf }) };
  }
}

function refOf({ server, tool }: ToolRef): ToolRef {
  return { server, tool };
}
