import { estimateTokenCount } from 'tokenx';
import type { JsonValue } from '../../shared/json.js';

/** Estimates tend to be too low, and a message has a frame. */
const MARGIN = 1.1;
const FRAME_TOKENS = 4;

/** Of a longer text only its two ends are looked at: an estimate need not take long. */
const SAMPLE_CHARS = 8_192;

/** About how many tokens a text, a message's content or any other plain data takes in a prompt; at least one. */
export function estimateTokens(content: JsonValue): number {
  const text = typeof content === 'string' ? content : JSON.stringify(content);
  return Math.ceil(tokensIn(text) * MARGIN) + FRAME_TOKENS;
}

function tokensIn(text: string): number {
  if (text.length <= SAMPLE_CHARS) return estimateTokenCount(text);
  const sample = text.slice(0, SAMPLE_CHARS / 2) + text.slice(-SAMPLE_CHARS / 2);
  return (estimateTokenCount(sample) * text.length) / SAMPLE_CHARS;
}
