import { findArguments } from './argument-finder.js';
import type { ArgumentSource, FoundArguments } from './found-arguments.js';
import { isDenied } from './grammar.js';
import type { ReadRequest } from './read-request.js';
import type { TermMatches, ToolIndex } from './tool-index.js';
import { isCommonWord, isFunctionWord } from './words.js';

/** A word of the request that says what it is about. */
export interface RequestTerm {
  readonly stem: string;
  /** As it is written where it stands first. */
  readonly word: string;
  /** Where it stands. */
  readonly starts: readonly number[];
  readonly matches: TermMatches;
}

/** How well a tool fits a request. All figures go from 0 to 1. */
export interface ToolFit {
  readonly args: FoundArguments;
  /** Stems of the request's words that the tool speaks of. */
  readonly known: ReadonlySet<string>;
  readonly missing: readonly string[];
  /** How much of what the request speaks of the tool speaks of. */
  readonly coverage: number;
  /** How much of the tool's name the request has. */
  readonly recall: number;
  /** How much of what the tool must be told the request tells. */
  readonly evidence: number;
  readonly confidence: number;
}

/** What an argument that was found tells of its tool, by the way it was found. */
const EVIDENCE: Record<ArgumentSource, number> = { given: 1, named: 1, typed: 0.8, weak: 0.3, default: 0 };
/** How much of a name or of arguments may be lacking in an order, "do …", and still be meant. */
const ORDER = 0.3;
const MAX_EVIDENCE = 0.85;
/** A value that no argument wants is like a word that few tools know. */
const UNCLAIMED_IDF = 3;
/** An argument that was taken from a sentence may be none: all its words together are like one that is not known. */
const WEAK_SHARE = 0.6;
/** Without what it must be told, a tool comes behind those that can be called. */
export const MISSING_SHARE = 0.6;

/** Who asks what a graph is does not want to see one. */
const MEANING_SHARE = 0.5;

/** The words of a request that count, as the catalogue knows them. */
export function termsOf({ words, grammar }: ReadRequest, index: ToolIndex): RequestTerm[] {
  const found = new Map<string, { word: string; starts: number[] }>();
  for (const { stem, text, start } of words) {
    if (isFunctionWord(text) || grammar.framing.has(start) || (isCommonWord(text) && !index.isName(stem))) continue;
    const term = found.get(stem);
    if (term) term.starts.push(start);
    else found.set(stem, { word: text, starts: [start] });
  }
  return [...found].map(([stem, term]) => ({ stem, ...term, matches: index.matchesOf(stem) }));
}

export function fitOf(place: number, request: ReadRequest, terms: readonly RequestTerm[], index: ToolIndex): ToolFit {
  const { shapes } = index.tools[place]!;
  const isOff = ({ starts }: RequestTerm) => starts.every((start) => isDenied(request.grammar, start));
  const known = new Set(terms.filter((term) => term.matches.tools.has(place) && !isOff(term)).map(({ stem }) => stem));
  const args = findArguments(request, shapes, known);
  const missing = shapes.filter(({ name, isRequired }) => isRequired && !args.found.has(name)).map(({ name }) => name);
  const strangers = Object.keys(request.given).filter((name) => !shapes.some((shape) => shape.name === name)).length;
  // data that somebody took the trouble to give goes before values of the text
  const unclaimed =
    Object.keys(request.given).length > 0 ? strangers : args.free().filter(({ kind }) => kind !== 'rest').length;
  const coverage = coverageOf(place, terms, args, unclaimed, isOff);
  const recall = recallOf(place, known, index);
  const evidence = evidenceOf(args, index.tools[place]!.shapes);
  const lacking = (1 - recall) * (1 - MAX_EVIDENCE * evidence) * (request.grammar.isOrder ? 1 - ORDER : 1);
  const doubt = (missing.length > 0 ? MISSING_SHARE : 1) * (request.grammar.asksForMeaning ? MEANING_SHARE : 1);
  const confidence = coverage * (1 - lacking) * doubt;
  return { args, known, missing, coverage, recall, evidence, confidence };
}

function coverageOf(
  place: number,
  terms: readonly RequestTerm[],
  args: FoundArguments,
  unclaimed: number,
  isOff: (term: RequestTerm) => boolean,
): number {
  let all = unclaimed * UNCLAIMED_IDF;
  let covered = 0;
  let weak = 0;
  for (const term of terms) {
    const { idf, tools } = term.matches;
    if (term.starts.every((start) => args.isClaimed(start))) {
      if (args.isWeak(term.starts[0]!)) weak = Math.max(weak, idf);
      continue;
    }
    const weight = term.starts.some((start) => args.isLabel(start)) ? 1 : (tools.get(place)?.weight ?? 0);
    all += idf;
    if (!isOff(term)) covered += idf * weight;
  }
  all += weak * WEAK_SHARE;
  return all === 0 ? 0 : covered / all;
}

/** Of the tool's name, or of its title if that fits better; each word counts as much as it tells tools apart. */
function recallOf(place: number, stems: ReadonlySet<string>, index: ToolIndex): number {
  const shares = index.tools[place]!.names.map((name) => {
    const weights = [...name].map((stem) => ({ idf: index.idfOf(stem), isThere: stems.has(stem) }));
    const total = weights.reduce((sum, { idf }) => sum + idf, 0);
    return total === 0 ? 0 : weights.reduce((sum, { idf, isThere }) => sum + (isThere ? idf : 0), 0) / total;
  });
  return Math.max(0, ...shares);
}

/** Of the arguments that the tool must be told; of one that needs none, of those that were found. */
function evidenceOf({ found }: FoundArguments, shapes: ToolIndex['tools'][number]['shapes']): number {
  const required = shapes.filter(({ isRequired, fallback }) => isRequired && fallback === undefined);
  const counted = required.length > 0 ? required.map(({ name }) => name) : [...found.keys()];
  if (counted.length === 0) return 0;
  return counted.reduce((sum, name) => sum + EVIDENCE[found.get(name)?.source ?? 'default'], 0) / counted.length;
}
