import type { LanguageModelV4CallOptions } from '@ai-sdk/provider';
import type { Clock } from '../../shared/clock.js';
import { CarrelError } from '../../shared/errors.js';
import type { ModelCall } from '../model-step.js';
import { currentSpan, traceHeaders } from '../../shared/trace-span.js';
import { costOf, type ModelUsage } from './budget-cost.js';
import { estimateTokens } from './conversation-tokens.js';
import { NOTHING_USED, type ModelAnswer, type TokenUsage } from './model-answer.js';
import type { ModelQuestion } from './model-question.js';
import { modelFailure } from './model-failure.js';
import { promptTokens, type PreparedPrompt } from './model-prompt.js';
import { streamModel, type StreamListener } from './model-stream.js';
import type { KnownModel } from './providers/model-registry.service.js';
import { ReasoningTeller } from './reasoning-teller.js';

const MAX_OUTPUT_TOKENS = 4_096;
/** Prompts are estimated: so much more is set aside, so that calls side by side do not pass a budget together. */
const PROMPT_MARGIN = 1.5;

/** One try of a model's call: what it tells while the answer comes in, and what it took, however it ends. */
export class ModelAttempt implements StreamListener {
  /** What it took; undefined while nobody knows, and when the provider did not begin to answer by itself. */
  private usage: TokenUsage | undefined;
  private text = '';
  private hasBegun = false;
  private told: Promise<void> | undefined;
  private readonly reasoning: ReasoningTeller;

  constructor(
    private readonly question: ModelQuestion,
    private readonly model: KnownModel,
    private readonly prompt: PreparedPrompt,
    private readonly call: ModelCall,
  ) {
    this.reasoning = new ReasoningTeller((thought) => {
      this.told = call.thinking(thought);
    });
  }

  /** The most that it can take. */
  estimate(): ModelUsage {
    const inputTokens = Math.ceil(promptTokens(this.prompt) * PROMPT_MARGIN);
    return { inputTokens, outputTokens: this.maxOutputTokens };
  }

  /** What the budget is charged. */
  get spent(): ModelUsage {
    return this.usage ?? NOTHING_USED;
  }

  /** For the run's report. */
  get used(): Readonly<Record<string, number>> | undefined {
    if (!this.usage) return undefined;
    return Object.fromEntries(Object.entries(this.usage).filter(([, amount]) => amount > 0));
  }

  /** @throws CarrelError `model_failed` | `model_refused`; the signal's reason */
  async carryOut(clock: Clock): Promise<ModelAnswer & { warnings: readonly string[] }> {
    this.call.signal.throwIfAborted();
    try {
      const { usage, calls, ...answer } = await streamModel(this.model.model, this.options(), this);
      this.count(usage ?? this.estimated());
      if (answer.finishReason === 'content-filter') throw filtered(this.model.name);
      const { tools } = this.prompt;
      return { ...answer, calls: calls.map((one) => ({ ...one, tool: tools?.find(one.name) })), usage: this.usage! };
    } catch (error) {
      // given up before it began: the provider may have read the prompt all the same
      const mayCost = this.hasBegun || this.call.signal.aborted;
      if (mayCost && !this.usage) this.count(this.estimated());
      this.call.signal.throwIfAborted();
      throw modelFailure(error, this.model, clock.now());
    }
  }

  onText(text: string): void {
    this.text += text;
    if (!this.question.isSilent) this.told = this.call.delta(text);
  }

  onReasoning(text: string): void {
    this.text += text;
    if (!this.question.isSilent) this.reasoning.add(text);
  }

  onReasoningEnd(): void {
    this.reasoning.end();
  }

  /** Waits when the journal is behind. */
  async onChunk(): Promise<void> {
    this.hasBegun = true;
    if (this.told) await this.told;
    else this.call.alive();
    this.told = undefined;
  }

  private get maxOutputTokens(): number {
    const { maxOutputTokens: own = MAX_OUTPUT_TOKENS } = this.model;
    return Math.min(this.question.maxOutputTokens ?? own, own);
  }

  private options(): LanguageModelV4CallOptions {
    const { messages, tools, responseFormat } = this.prompt;
    const { temperature = this.model.temperature, stopSequences } = this.question;
    return {
      prompt: [...messages],
      maxOutputTokens: this.maxOutputTokens,
      abortSignal: this.call.signal,
      headers: traceHeaders(),
      ...(temperature !== undefined && { temperature }),
      ...(stopSequences && { stopSequences: [...stopSequences] }),
      ...(responseFormat && { responseFormat }),
      ...(tools && tools.definitions.length > 0 && { tools: [...tools.definitions], toolChoice: { type: 'auto' } }),
    };
  }

  private count(usage: TokenUsage): void {
    const { price } = this.model;
    this.usage = price ? { ...usage, usd: costOf(usage, price).microUsd / 1e6 } : usage;
    const { inputTokens, outputTokens } = usage;
    currentSpan()?.set({ 'gen_ai.usage.input_tokens': inputTokens, 'gen_ai.usage.output_tokens': outputTokens });
  }

  /** For providers that do not say, and answers that were cut. */
  private estimated(): TokenUsage {
    return { ...NOTHING_USED, inputTokens: promptTokens(this.prompt), outputTokens: estimateTokens(this.text) };
  }
}

function filtered(model: string): CarrelError {
  return new CarrelError(
    'model_refused',
    `The provider of the model "${model}" held its answer back: the content filter`,
  );
}
