import type { JSONSchema7 } from '@ai-sdk/provider';
import type { AgentRun } from '../../agents/agent-run.js';
import type { UsableTool } from '../../agents/tools/tool-definition.js';
import { CarrelError } from '../../shared/errors.js';
import type { ModelSteps } from '../model-step.js';
import type { LlmConversation } from './llm-conversation.js';
import { NOTHING_USED, sumOf, textOf, type ModelAnswer, type TokenUsage } from './model-answer.js';
import type { ModelCalls } from './model-calls.service.js';
import type { OfferedTools, PreparedPrompt } from './model-prompt.js';
import type { KnownModel } from './providers/model-registry.service.js';
import {
  invalidOutput,
  outputInstructions,
  outputReader,
  repairRequest,
  responseFormat,
  type OutputReader,
  type OutputSchema,
} from './structured-output.js';
import { matchesAny, modelToolName } from './tool-names.js';
import { callTools } from './tool-turn.js';

/** What is to be done, and how far it may go. */
export interface LlmTask {
  readonly model?: string;
  readonly tools: readonly string[];
  readonly output?: OutputSchema;
  readonly maxModelCalls: number;
  readonly temperature?: number;
  stopWhen(progress: { calls: number; text: string; usage: TokenUsage }): boolean;
}

export interface LlmOutcome {
  readonly text: string;
  readonly output: unknown;
  readonly model: string;
  readonly calls: number;
  readonly usage: TokenUsage;
  readonly isCut: boolean;
}

/** A model and its tools, in turns, until the model has answered. Everything it decides follows from what is recorded. */
export class LlmLoop {
  private readonly reader: OutputReader | undefined;
  private offered: Promise<OfferedTools> | undefined;
  private calls = 0;
  private usage = NOTHING_USED;
  /** The answer did not fit, and the model was asked again. */
  private isRepairing = false;

  constructor(
    private readonly task: LlmTask,
    private readonly run: AgentRun,
    private readonly steps: ModelSteps,
    private readonly conversation: LlmConversation,
    private readonly models: ModelCalls,
  ) {
    this.reader = task.output === undefined ? undefined : outputReader(task.output);
  }

  /** @throws CarrelError `too_many_model_calls` | `invalid_model_output`; as `ModelCalls.ask` and `UserTools.call` do */
  async carryOut(): Promise<LlmOutcome> {
    for (;;) {
      const { model, answer } = await this.ask();
      const text = textOf(answer.message);
      if (answer.calls.length === 0) {
        const end = await this.read(text);
        if (end) return this.outcome(model, answer, end.value);
        continue;
      }
      this.conversation.add(await callTools(answer, this.run));
      const { calls, usage } = this;
      if (this.task.stopWhen({ calls, text, usage })) {
        const end = await this.read(text);
        if (end) return this.outcome(model, answer, end.value);
      }
    }
  }

  private async ask(): Promise<{ model: string; answer: ModelAnswer }> {
    const { maxModelCalls, model, temperature } = this.task;
    if (this.calls >= maxModelCalls) {
      const text = `the agent asked its model ${maxModelCalls} times, and it has not come to an end (maxModelCalls)`;
      throw new CarrelError('too_many_model_calls', text);
    }
    this.calls++;
    const { context } = this.run;
    const reply = await this.models.ask({
      context,
      steps: this.steps,
      model,
      temperature,
      prepare: (known) => this.prepare(known),
    });
    this.usage = sumOf(this.usage, reply.answer.usage);
    this.conversation.add(reply.answer.message);
    return reply;
  }

  private async prepare({ historyTokens = HISTORY_TOKENS, keepsSchemas }: KnownModel): Promise<PreparedPrompt> {
    const tools = await (this.offered ??= this.offer());
    const hasTools = tools.definitions.length > 0;
    const { reader } = this;
    return {
      messages: await this.conversation.prompt(historyTokens, reader && outputInstructions(reader)),
      tools,
      responseFormat: reader && responseFormat(reader, { keepsSchemas, hasTools }),
    };
  }

  private async offer(): Promise<OfferedTools> {
    const patterns = this.task.tools;
    if (patterns.length === 0) return NO_TOOLS;
    const tools = (await this.run.tools.list()).filter((tool) => matchesAny(patterns, tool));
    const byName = new Map(tools.map((tool) => [modelToolName(tool), tool]));
    return {
      definitions: [...byName].map(([name, tool]) => definitionOf(name, tool)),
      find(name) {
        const found = byName.get(name);
        return found && { server: found.server, tool: found.tool, reads: found.effect === 'read' };
      },
    };
  }

  /** @returns undefined when the model is to answer once more */
  private async read(text: string): Promise<{ value: unknown } | undefined> {
    if (!this.reader) return { value: undefined };
    const check = await this.reader.read(text);
    if ('value' in check) return check;
    if (this.isRepairing) throw invalidOutput(check.issues);
    this.isRepairing = true;
    this.conversation.add({ role: 'user', content: [{ type: 'text', text: repairRequest(check.issues) }] });
    return undefined;
  }

  private outcome(model: string, { message, finishReason }: ModelAnswer, output: unknown): LlmOutcome {
    const { calls, usage } = this;
    return { text: textOf(message), output, model, calls, usage, isCut: finishReason === 'length' };
  }
}

const HISTORY_TOKENS = 16_000;
const NO_TOOLS: OfferedTools = { definitions: [], find: () => undefined };

function definitionOf(name: string, { title, description, inputSchema }: UsableTool) {
  const about = title && !description.includes(title) ? `${title}. ${description}` : description;
  return { type: 'function' as const, name, description: about, inputSchema: inputSchema as JSONSchema7 };
}
