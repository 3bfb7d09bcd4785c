import type { ModelConfig } from '../../config/models-config.js';
import type { Spend } from './budget-store.port.js';

/** Tokens of one call of a model. */
export interface ModelUsage {
  /** All of them, those that the provider had in its cache included. */
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly cachedInputTokens?: number;
}

/** Nothing that is counted can get so large; beyond it a provider's figures are not believed. */
const MAX_TOKENS = 1e9;
const MAX_MICRO_USD = 1e15;

/** What a call costs. A price is in US dollars for a million tokens, which is millionths of a dollar for one. */
export function costOf(usage: ModelUsage, price: ModelConfig['price']): Spend {
  const input = countOf(usage.inputTokens);
  const output = countOf(usage.outputTokens);
  const cached = Math.min(countOf(usage.cachedInputTokens), input);
  const { input: perInput, output: perOutput, cachedInput: perCached = perInput } = price ?? { input: 0, output: 0 };
  const microUsd = (input - cached) * perInput + cached * perCached + output * perOutput;
  return { tokens: input + output, microUsd: Math.min(Math.ceil(microUsd), MAX_MICRO_USD) };
}

/** Providers leave figures out, and not all of them are what they should be. */
function countOf(tokens: number | undefined): number {
  if (tokens === undefined || !(tokens > 0)) return 0;
  return Math.min(Math.ceil(tokens), MAX_TOKENS);
}
