import {
  APICallError,
  type LanguageModelV4,
  type LanguageModelV4CallOptions,
  type LanguageModelV4StreamPart,
  type LanguageModelV4Usage,
} from '@ai-sdk/provider';
import { modelToolName } from '../execution/models/tool-names.js';
import type { JsonValue } from '../shared/json.js';

/** What a scripted model is asked: the prompt, the tools, and what else the provider would get. */
export type ModelRequest = LanguageModelV4CallOptions;

/** A call of a tool that the model asks for. */
export type ScriptedCall =
  /** `server/tool` as in `LlmAgent.tools` (`app/…` for the application's own). The model must have been offered it. */
  | { readonly tool: string; readonly input?: JsonValue }
  /** What a confused model might say: any name, and arguments as the text that came. */
  | { readonly name: string; readonly input: string };

/** How a model answers one call. */
export interface ScriptedAnswer {
  /** Several texts come as several pieces. */
  readonly text?: string | readonly string[];
  readonly reasoning?: string;
  readonly calls?: readonly ScriptedCall[];
  /** The answer waits for it after the first piece of text; the signal is aborted when the run is stopped. */
  readonly waitFor?: Promise<unknown> | ((signal: AbortSignal) => Promise<unknown>);
  /** @default 10 input and 5 output tokens */
  readonly usage?: { readonly inputTokens: number; readonly outputTokens: number };
  /** `length`: cut off at the limit of tokens; `content-filter`: held back. @default what fits */
  readonly finish?: 'stop' | 'length' | 'content-filter';
  /** Breaks off after what it has said. */
  readonly breaksOff?: boolean;
}

/** A provider's refusal. */
export interface ScriptedFailure {
  /** The HTTP status: 408, 409, 429 and from 500 on are tried again. */
  readonly status: number;
  readonly message?: string;
  readonly retryAfterMs?: number;
}

export type ScriptedStep =
  ScriptedAnswer | ScriptedFailure | ((request: ModelRequest) => ScriptedAnswer | ScriptedFailure);

/**
 * A language model for tests: it answers call after call as the script says. Strict both ways: a call that the script does not
 * have fails (and is not tried again), and so does `verify` when calls are left, or when something else was not as the script has it.
 */
export class ScriptedModel implements LanguageModelV4, Disposable {
  readonly specificationVersion = 'v4';
  readonly provider = 'scripted';
  readonly modelId = 'scripted';
  readonly supportedUrls = {};
  /** What it was asked, in the order of the calls. */
  readonly requests: ModelRequest[] = [];
  private readonly problems: string[] = [];

  constructor(private readonly script: readonly ScriptedStep[]) {}

  /** @throws Error that says how the calls and the script differ */
  verify(): void {
    const left = this.script.length - this.requests.length;
    const problems = [
      ...this.problems,
      ...(left > 0 ? [`${left} of ${this.script.length} calls were never made`] : []),
    ];
    if (problems.length > 0) throw new Error(`the scripted model: ${problems.join('; ')}`);
  }

  /** Verifies at the end of a block: `using model = scriptedModel([…])`. */
  [Symbol.dispose](): void {
    this.verify();
  }

  doGenerate(): never {
    throw new Error('a scripted model only streams');
  }

  async doStream(request: ModelRequest): Promise<{ stream: ReadableStream<LanguageModelV4StreamPart> }> {
    request.abortSignal?.throwIfAborted();
    const number = this.requests.push(request);
    const step = this.script[number - 1];
    if (step === undefined) throw this.refuse(`call ${number} is not in the script, which has ${this.script.length}`);
    const answer = typeof step === 'function' ? step(request) : step;
    if ('status' in answer) throw failureOf(answer);
    const calls = (answer.calls ?? []).map((call, i) => this.toolCall(call, i, request));
    return { stream: ReadableStream.from(partsOf(answer, calls, request.abortSignal)) };
  }

  private toolCall(call: ScriptedCall, index: number, { tools = [] }: ModelRequest): LanguageModelV4StreamPart {
    const facts = { type: 'tool-call', toolCallId: `call_${index}` } as const;
    if ('name' in call) return { ...facts, toolName: call.name, input: call.input };
    const [server = '', ...rest] = call.tool.split('/');
    const toolName = modelToolName({ server, tool: rest.join('/') });
    if (!tools.some(({ name }) => name === toolName)) {
      const offered = tools.map(({ name }) => name).join(', ') || 'none';
      throw this.refuse(`the model was not offered ${call.tool} (offered: ${offered})`);
    }
    return { ...facts, toolName, input: JSON.stringify(call.input ?? {}) };
  }

  private refuse(problem: string): Error {
    this.problems.push(problem);
    return failureOf({ status: 400, message: `the scripted model: ${problem}` });
  }
}

/** A model that answers as the script says, for `CarrelModule.forRoot({ config, models: { default: model } })`. */
export function scriptedModel(script: readonly ScriptedStep[]): ScriptedModel {
  return new ScriptedModel(script);
}

async function* partsOf(
  answer: ScriptedAnswer,
  calls: readonly LanguageModelV4StreamPart[],
  signal: AbortSignal = new AbortController().signal,
): AsyncGenerator<LanguageModelV4StreamPart> {
  const { text = [], reasoning, waitFor, finish, breaksOff, usage = { inputTokens: 10, outputTokens: 5 } } = answer;
  const pieces = typeof text === 'string' ? [text] : text;
  yield { type: 'stream-start', warnings: [] };
  if (reasoning !== undefined) {
    yield { type: 'reasoning-start', id: 'r' };
    yield { type: 'reasoning-delta', id: 'r', delta: reasoning };
    yield { type: 'reasoning-end', id: 'r' };
  }
  if (pieces.length > 0) yield { type: 'text-start', id: 't' };
  else await held(waitFor, signal);
  for (const [i, delta] of pieces.entries()) {
    yield { type: 'text-delta', id: 't', delta };
    if (i === 0) await held(waitFor, signal);
  }
  if (pieces.length > 0) yield { type: 'text-end', id: 't' };
  yield* calls;
  const unified = breaksOff ? 'interrupted' : (finish ?? (calls.length > 0 ? 'tool-calls' : 'stop'));
  yield { type: 'finish', finishReason: { unified, raw: unified }, usage: usageOf(usage) };
}

/** Ends at once, with its reason, when the run is stopped. */
async function held(waitFor: ScriptedAnswer['waitFor'], signal: AbortSignal): Promise<void> {
  if (waitFor === undefined) return;
  const stopped = Promise.withResolvers<never>();
  const stop = () => stopped.reject(signal.reason);
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  try {
    await Promise.race([typeof waitFor === 'function' ? waitFor(signal) : waitFor, stopped.promise]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

function usageOf({ inputTokens, outputTokens }: { inputTokens: number; outputTokens: number }): LanguageModelV4Usage {
  return {
    inputTokens: { total: inputTokens, noCache: inputTokens, cacheRead: undefined, cacheWrite: undefined },
    outputTokens: { total: outputTokens, text: outputTokens, reasoning: undefined },
  };
}

function failureOf({ status, message = `status ${status}`, retryAfterMs }: ScriptedFailure): APICallError {
  return new APICallError({
    message,
    url: 'scripted:',
    requestBodyValues: {},
    statusCode: status,
    responseHeaders: retryAfterMs === undefined ? {} : { 'retry-after-ms': String(retryAfterMs) },
  });
}
