import type {
  JSONValue,
  LanguageModelV4Content,
  LanguageModelV4FinishReason,
  LanguageModelV4Message,
  LanguageModelV4Usage,
} from '@ai-sdk/provider';
import type { ToolRef } from '../../agents/tools/tool-definition.js';
import type { JsonValue } from '../../shared/json.js';

type AssistantMessage = Extract<LanguageModelV4Message, { role: 'assistant' }>;
type AssistantPart = AssistantMessage['content'][number];

/** A tool that the model wants called. */
export interface ToolRequest {
  /** The provider's; unique within one answer only. */
  readonly id: string;
  /** As the model knows the tool. */
  readonly name: string;
  readonly input: JsonValue;
  /** Why its arguments could not be read. */
  readonly invalid?: string;
  /** Which tool that is; undefined when the model was not offered any of that name. */
  readonly tool?: RequestedTool;
}

/** Recorded with the answer, so that the run goes on in the same way when its tools have changed meanwhile. */
export interface RequestedTool extends ToolRef {
  /** It only reads: such calls may be made side by side. */
  readonly reads: boolean;
}

/** One whole answer of a model: plain JSON, for it is what is recorded of the call. */
export interface ModelAnswer {
  /** As it goes back to the model, with everything that providers want to see again. */
  readonly message: AssistantMessage;
  readonly calls: readonly ToolRequest[];
  readonly finishReason: LanguageModelV4FinishReason['unified'];
  readonly usage: TokenUsage;
}

/** Tokens; of these `cachedInputTokens` are a part of the input, `reasoningTokens` of the output. */
export interface TokenUsage {
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly cachedInputTokens: number;
  readonly reasoningTokens: number;
  /** US dollars; undefined when the model has no price. */
  readonly usd?: number;
}

export const NOTHING_USED: TokenUsage = { inputTokens: 0, outputTokens: 0, cachedInputTokens: 0, reasoningTokens: 0 };

export function sumOf(a: TokenUsage, b: TokenUsage): TokenUsage {
  return {
    inputTokens: a.inputTokens + b.inputTokens,
    outputTokens: a.outputTokens + b.outputTokens,
    cachedInputTokens: a.cachedInputTokens + b.cachedInputTokens,
    reasoningTokens: a.reasoningTokens + b.reasoningTokens,
    ...((a.usd ?? b.usd) !== undefined && { usd: (a.usd ?? 0) + (b.usd ?? 0) }),
  };
}

/** The text of a message, without its reasoning. */
export function textOf({ content }: AssistantMessage): string {
  return content.map((part) => (part.type === 'text' ? part.text : '')).join('');
}

/** @returns undefined when the provider does not say what was used */
export function usageFrom({ inputTokens, outputTokens }: LanguageModelV4Usage): TokenUsage | undefined {
  if (inputTokens.total === undefined && outputTokens.total === undefined) return undefined;
  return {
    inputTokens: inputTokens.total ?? 0,
    outputTokens: outputTokens.total ?? 0,
    cachedInputTokens: inputTokens.cacheRead ?? 0,
    reasoningTokens: outputTokens.reasoning ?? 0,
  };
}

/** What a model has answered, as parts of the next prompt, and the tools that it wants called. */
export function readContent(content: readonly LanguageModelV4Content[]): Pick<ModelAnswer, 'message' | 'calls'> {
  const calls: ToolRequest[] = [];
  const parts = content.flatMap((part) => promptParts(part, calls));
  return { message: { role: 'assistant', content: parts }, calls };
}

/** Signatures and the like come as the answer's metadata, and are wanted back as the prompt's options. */
function promptParts(part: LanguageModelV4Content, calls: ToolRequest[]): AssistantPart[] {
  const own = part.providerMetadata === undefined ? {} : { providerOptions: part.providerMetadata };
  switch (part.type) {
    case 'text':
      return part.text === '' && part.providerMetadata === undefined ? [] : [{ type: 'text', text: part.text, ...own }];
    case 'reasoning': // also without a text: it may be there for its signature
      return [{ type: 'reasoning', text: part.text, ...own }];
    case 'custom':
      return [{ type: 'custom', kind: part.kind, ...own }];
    case 'tool-call': {
      const { toolCallId, toolName, providerExecuted } = part;
      const request: ToolRequest = { id: toolCallId, name: toolName, ...readArguments(part.input) };
      if (!providerExecuted) calls.push(request);
      const byProvider = providerExecuted && { providerExecuted };
      return [{ type: 'tool-call', toolCallId, toolName, input: request.input, ...byProvider, ...own }];
    }
    case 'tool-result': {
      const { toolCallId, toolName, isError } = part;
      const output = { type: isError ? ('error-json' as const) : ('json' as const), value: part.result as JSONValue };
      return [{ type: 'tool-result', toolCallId, toolName, output, ...own }];
    }
    case 'file':
    case 'reasoning-file': // agents answer in words and data
    case 'source':
    case 'tool-approval-request':
      return [];
  }
}

/** An empty text stands for no arguments with some providers. */
function readArguments(text: string): Pick<ToolRequest, 'input' | 'invalid'> {
  if (text.trim() === '') return { input: {} };
  try {
    return { input: JSON.parse(text) as JsonValue };
  } catch (error) {
    return { input: {}, invalid: (error as Error).message };
  }
}
