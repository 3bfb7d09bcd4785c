import type { ToolCandidate, ToolRequest } from './request-decision.js';
import { MISSING_SHARE, type RequestTerm, type ToolFit } from './tool-fit.js';

const MAX_WORDS = 8;

/** What speaks for a tool: its words in the request, and what was found of its arguments. */
export function whyOf({ known }: ToolFit, terms: readonly RequestTerm[], found: readonly string[]): string {
  const words = terms.filter(({ stem }) => known.has(stem)).map(({ word }) => `"${word}"`);
  const facts = [
    ...(words.length > 0 ? [`it speaks of ${listOf(words)}`] : []),
    ...(found.length > 0 ? [`the request has ${listOf(found)}`] : []),
  ];
  return facts.length > 0 ? facts.join('; ') : 'it was asked for by name';
}

/**
 * Why a tool is called, or why none is.
 *
 * @param tie one that fits just as well
 */
export function reasonOf(
  first: ToolCandidate | undefined,
  tie: ToolCandidate | undefined,
  threshold: number,
  { server, tool }: ToolRequest,
): string {
  if (!first) {
    const asked = [tool && `"${tool}"`, server && `of "${server}"`].filter(Boolean).join(' ');
    return asked === ''
      ? 'no tool that you may use speaks of what the request speaks of'
      : `there is no tool ${asked} that you may use and that fits`;
  }
  const isIncomplete = first.missing.length > 0;
  if (first.score < threshold * (isIncomplete ? MISSING_SHARE : 1))
    return `no tool fits well enough: the best is ${nameOf(first)} with ${first.score}, and ${threshold} is needed`;
  if (isIncomplete) return `${nameOf(first)} fits, but the request does not tell ${listOf(first.missing)}`;
  if (tie) return `${nameOf(first)} and ${nameOf(tie)} fit equally well: say which server or tool is meant`;
  return `${nameOf(first)} fits with ${first.score}: ${first.why}`;
}

function nameOf({ server, tool }: ToolCandidate): string {
  return `"${tool}" of "${server}"`;
}

function listOf(words: readonly string[]): string {
  const shown = words.slice(0, MAX_WORDS);
  return shown.length < 2 ? shown.join('') : `${shown.slice(0, -1).join(', ')} and ${shown.at(-1)}`;
}
