import type {
  LanguageModelV4,
  LanguageModelV4CallOptions,
  LanguageModelV4Content,
  LanguageModelV4FinishReason,
  LanguageModelV4StreamPart,
  SharedV4ProviderMetadata,
} from '@ai-sdk/provider';
import { CarrelError } from '../../shared/errors.js';
import { readContent, usageFrom, type ModelAnswer, type TokenUsage } from './model-answer.js';
import { ModelBrokeOff } from './model-failure.js';

/** Of one answer, words, thoughts and arguments together: more than any model may say, whatever its provider lets it. */
const MAX_ANSWER_CHARS = 8 * 1024 * 1024;

/** Who follows an answer as it comes in. */
export interface StreamListener {
  onText(text: string): void;
  onReasoning(text: string): void;
  /** A block of reasoning is complete. */
  onReasoningEnd(): void;
  /** Something came, whatever it was. */
  onChunk(): void | Promise<void>;
}

/** An answer, and what the provider says of it. `usage`: undefined when it does not say. */
export type StreamedAnswer = Omit<ModelAnswer, 'usage'> & {
  readonly usage: TokenUsage | undefined;
  readonly warnings: readonly string[];
};

/**
 * One call of a model, read to its end. Nothing of an answer may be used before it is whole.
 *
 * @throws the signal's own reason; ModelBrokeOff when the answer is not whole; CarrelError `model_failed` when there is no end to
 *   it; otherwise what the provider throws
 */
export async function streamModel(
  model: LanguageModelV4,
  options: LanguageModelV4CallOptions,
  listener: StreamListener,
): Promise<StreamedAnswer> {
  try {
    const { stream } = await model.doStream(options);
    const reading = new AnswerReading(listener);
    for await (const part of stream) {
      reading.take(part);
      await listener.onChunk();
    }
    return reading.end();
  } catch (error) {
    options.abortSignal?.throwIfAborted(); // in the middle of an answer the provider throws something else
    throw error;
  }
}

type Block = Extract<LanguageModelV4Content, { type: 'text' | 'reasoning' }>;
type BlockPart = { id: string; delta?: string; providerMetadata?: SharedV4ProviderMetadata };

/** The parts of one answer, put together. */
class AnswerReading {
  private readonly content: LanguageModelV4Content[] = [];
  private readonly open = new Map<string, Block>();
  private failure: { error: unknown } | undefined;
  private finish: Extract<LanguageModelV4StreamPart, { type: 'finish' }> | undefined;
  private warnings: string[] = [];
  private chars = 0;

  constructor(private readonly listener: StreamListener) {}

  take(part: LanguageModelV4StreamPart): void {
    this.chars += 'delta' in part ? part.delta.length : part.type === 'tool-call' ? part.input.length : 0;
    if (this.chars > MAX_ANSWER_CHARS) throw tooLong();
    switch (part.type) {
      case 'text-start':
      case 'text-delta':
        this.add('text', part);
        return;
      case 'text-end':
        this.close('text', part);
        return;
      case 'reasoning-start':
      case 'reasoning-delta':
        this.add('reasoning', part);
        return;
      case 'reasoning-end':
        this.close('reasoning', part);
        this.listener.onReasoningEnd();
        return;
      case 'tool-call':
      case 'custom':
        this.content.push(part);
        return;
      case 'tool-result':
        if (!part.preliminary) this.content.push(part);
        return;
      case 'stream-start':
        this.warnings = part.warnings.map((warning) => JSON.stringify(warning));
        return;
      case 'error':
        this.failure ??= { error: part.error }; // a finish follows
        return;
      case 'finish':
        this.finish = part;
        return;
      case 'tool-input-start': // the call comes whole, later
      case 'tool-input-delta':
      case 'tool-input-end':
      case 'tool-approval-request': // what other clients do with an answer
      case 'source':
      case 'file':
      case 'reasoning-file':
      case 'response-metadata':
      case 'ping':
      case 'raw':
    }
  }

  end(): StreamedAnswer {
    const { failure, finish } = this;
    if (failure) throw failure.error instanceof Error ? failure.error : new ModelBrokeOff(messageOf(failure.error));
    if (!finish || isCut(finish.finishReason)) throw new ModelBrokeOff('the stream ended before the answer did');
    return {
      ...readContent(this.content),
      finishReason: finish.finishReason.unified,
      usage: usageFrom(finish.usage),
      warnings: this.warnings,
    };
  }

  private add(type: Block['type'], part: BlockPart): void {
    const key = type + part.id; // ids of the two kinds may be the same
    const block = this.open.get(key) ?? this.begin(key, type);
    if (part.delta) {
      block.text += part.delta;
      if (type === 'text') this.listener.onText(part.delta);
      else this.listener.onReasoning(part.delta);
    }
    if (part.providerMetadata !== undefined) block.providerMetadata = part.providerMetadata; // the last one counts
  }

  private begin(key: string, type: Block['type']): Block {
    const block: Block = { type, text: '' };
    this.open.set(key, block);
    this.content.push(block);
    return block;
  }

  private close(type: Block['type'], part: BlockPart): void {
    this.add(type, part);
    this.open.delete(type + part.id);
  }
}

/** Providers have three ways to say that the stream ended without a sign that the answer did. */
function isCut({ unified, raw }: LanguageModelV4FinishReason): boolean {
  return unified === 'interrupted' || unified === 'error' || (unified === 'other' && raw === undefined);
}

function messageOf(error: unknown): string {
  const message = (error as { message?: unknown } | null)?.message;
  return typeof message === 'string' ? message : 'the provider reported an error in the middle of its answer';
}

function tooLong(): CarrelError {
  const text = `The model does not come to an end: its answer has more than ${MAX_ANSWER_CHARS} characters`;
  return new CarrelError('model_failed', text, { retryable: false });
}
