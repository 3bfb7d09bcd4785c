import type { LanguageModelV4CallOptions, LanguageModelV4FunctionTool, LanguageModelV4Message } from '@ai-sdk/provider';
import type { RequestedTool } from './model-answer.js';
import { estimateTokens } from './conversation-tokens.js';
import type { JsonValue } from '../../shared/json.js';

/** What a model is given. */
export interface PreparedPrompt {
  readonly messages: readonly LanguageModelV4Message[];
  readonly tools?: OfferedTools;
  readonly responseFormat?: LanguageModelV4CallOptions['responseFormat'];
}

/** The tools that a model may ask for. */
export interface OfferedTools {
  readonly definitions: readonly LanguageModelV4FunctionTool[];
  /** What the model means by a name. */
  find(name: string): RequestedTool | undefined;
}

/** Messages are never changed, and the same ones go to the model again and again. */
const estimates = new WeakMap<object, number>();

/** About how many tokens a prompt takes. */
export function promptTokens({ messages, tools }: PreparedPrompt): number {
  return [...messages, ...(tools?.definitions ?? [])].reduce((sum, part) => sum + tokensOf(part), 0);
}

function tokensOf(part: LanguageModelV4Message | LanguageModelV4FunctionTool): number {
  const known = estimates.get(part);
  if (known !== undefined) return known;
  const tokens = estimateTokens(part as unknown as JsonValue);
  estimates.set(part, tokens);
  return tokens;
}
