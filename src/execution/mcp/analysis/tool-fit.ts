import type { ToolDefinition } from '../../tools/tool-definition.js';
import { ArgumentFinder, type ArgumentSource } from './argument-finder.js';
import type { ReadRequest } from './read-request.js';
import type { TermMatches, ToolIndex } from './tool-index.js';

/** A word of the request that says what it is about. */
export interface RequestTerm {
  readonly stem: string;
  readonly starts: readonly number[];
  readonly matches: TermMatches;
}

export interface ToolFit {
  readonly finder: ArgumentFinder;
  /** How much of what the request speaks of the tool speaks of, from 0 to 1. */
  readonly coverage: number;
  /** How much of the tool's name the request has. */
  readonly recall: number;
  /** How much of what the tool must be told the request tells. */
  readonly evidence: number;
}

/** What a value in the text tells of the argument that it became. */
const EVIDENCE: Record<ArgumentSource, number> = { given: 1, named: 1, typed: 0.8, weak: 0.3, default: 0 };
/** A value that no argument wants is as bad as a word that the tool does not know. */
const UNCLAIMED_IDF = 3;
/** Words inside an argument that was taken from a sentence count for less than others, for they may be none. */
const WEAK_SHARE = 0.4;

export function fitOf(
  place: number,
  tool: ToolDefinition,
  request: ReadRequest,
  terms: readonly RequestTerm[],
  index: ToolIndex,
): ToolFit {
  const weightOf = ({ matches }: RequestTerm) => matches.tools.get(place)?.weight ?? 0;
  const mentions = new Set(terms.filter((term) => weightOf(term) > 0).map(({ stem }) => stem));
  const finder = new ArgumentFinder(request, tool.inputSchema, mentions);
  let all = finder.unclaimed.length * UNCLAIMED_IDF;
  let covered = 0;
  for (const term of terms) {
    const isClaimed = term.starts.every((start) => finder.isClaimed(start));
    if (isClaimed) {
      all += term.matches.idf * (finder.isWeak(term.starts[0]!) ? WEAK_SHARE : 0);
      continue;
    }
    all += term.matches.idf;
    covered += term.matches.idf * weightOf(term);
  }
  const name = [...index.nameOf(place)];
  const stems = new Set(terms.map(({ stem }) => stem));
  const total = name.reduce((sum, [, idf]) => sum + idf, 0);
  const named = name.reduce((sum, [stem, idf]) => sum + (stems.has(stem) ? idf : 0), 0);
  const required = finder.required;
  const told = required.map(({ name: argument }) => EVIDENCE[finder.found.get(argument)?.source ?? 'default']);
  return {
    finder,
    coverage: all === 0 ? 0 : covered / all,
    recall: total === 0 ? 0 : named / total,
    evidence: told.length === 0 ? 0 : told.reduce((sum, one) => sum + one, 0) / told.length,
  };
}
