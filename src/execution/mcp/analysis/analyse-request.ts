import type { UsableTool } from '../../../agents/tools/tool-definition.js';
import type { JsonObject, JsonValue } from '../../../shared/json.js';
import type { SchemaCheck } from '../../json-schema.js';
import { readRequest } from './read-request.js';
import type { RequestDecision, ToolCandidate, ToolRequest } from './request-decision.js';
import { fitOf, termsOf, type RequestTerm, type ToolFit } from './tool-fit.js';
import type { ToolIndex } from './tool-index.js';
import { reasonOf, whyOf } from './decision-texts.js';

/**
 * From here on a tool is meant. Measured on the requests of docs/request-analysis.md: what wants no tool stays below a
 * quarter unless it lacks arguments, what wants one is nearly always above a half.
 */
const THRESHOLD = 0.4;

/** So many tools are looked at closely, of those that the full-text search finds. */
const MAX_FITS = 12;
const MAX_CANDIDATES = 5;
const DEPRECATED = /\bdeprecated\b/i;
/** One that its server advises against comes behind another one that does the same. */
const DEPRECATED_SHARE = 0.9;
const MAX_TERMS = 60;

export interface AnalysisParts {
  /** Of exactly the tools that the request may want, in their order. */
  readonly index: ToolIndex;
  readonly checkOf: (schema: JsonObject) => SchemaCheck | string;
  readonly nowMs: number;
}

/** Finds out what a request wants. Calls nothing; takes the same time for a long text as for a short one. */
export function analyseRequest(
  tools: readonly UsableTool[],
  request: ToolRequest,
  { index, checkOf, nowMs }: AnalysisParts,
): RequestDecision {
  const read = readRequest(request.text, request.arguments ?? {}, nowMs);
  const terms = termsOf(read, index).slice(0, MAX_TERMS);
  const places = request.tool === undefined ? placesOf(terms) : [...tools.keys()].slice(0, MAX_FITS);
  const candidates = places
    .map((place) => {
      const tool = tools[place]!;
      const fit = fitOf(place, read, terms, index);
      const share = DEPRECATED.test(`${tool.title ?? ''} ${tool.description}`) ? DEPRECATED_SHARE : 1;
      const score = request.tool === undefined ? fit.confidence * share : share;
      return candidateOf(tool, fit, score, terms, request, checkOf);
    })
    .filter(({ score }) => score > 0)
    .toSorted((a, b) => b.score - a.score)
    .slice(0, MAX_CANDIDATES);
  const [first, second] = candidates;
  const confidence = first?.score ?? 0;
  const isTie = second !== undefined && second.score === confidence && second.missing.length === 0;
  const requiresMcp = first !== undefined && confidence >= THRESHOLD && first.missing.length === 0 && !isTie;
  const reason = reasonOf(first, isTie ? second : undefined, THRESHOLD, request);
  return { requiresMcp, confidence, reason, threshold: THRESHOLD, candidates };
}

/** Places of the tools that the words speak of, the ones that the full-text search finds best first. */
function placesOf(terms: readonly RequestTerm[]): number[] {
  const scores = new Map<number, number>();
  for (const { matches } of terms)
    for (const [place, { score }] of matches.tools) scores.set(place, (scores.get(place) ?? 0) + score);
  return [...scores]
    .toSorted(([, a], [, b]) => b - a)
    .slice(0, MAX_FITS)
    .map(([place]) => place);
}

function candidateOf(
  tool: UsableTool,
  fit: ToolFit,
  score: number,
  terms: readonly RequestTerm[],
  request: ToolRequest,
  checkOf: AnalysisParts['checkOf'],
): ToolCandidate {
  const check = checkOf(tool.inputSchema);
  // whoever names the tool may know more of its arguments than the schema says
  const given = request.tool === undefined ? {} : request.arguments;
  const found = new Map(
    Object.entries(given ?? {}).filter((entry): entry is [string, JsonValue] => entry[1] !== undefined),
  );
  for (const [name, { value }] of fit.args.found) found.set(name, value);
  const missing = new Set(fit.missing);
  const issues = typeof check === 'function' ? check(Object.fromEntries(found)) : [];
  for (const { path } of issues) {
    const name = /^[^.[]+/.exec(path)?.[0];
    if (name === undefined || !found.delete(name)) continue;
    const isGiven = fit.args.found.get(name)?.source === 'given';
    if (isGiven || fit.args.isRequired(name)) missing.add(name);
  }
  return {
    server: tool.server,
    tool: tool.tool,
    score: Math.round(score * 1_000) / 1_000,
    why: whyOf(fit, terms, [...found.keys()]),
    arguments: Object.fromEntries(found),
    missing: [...missing],
    needsApproval: tool.needsApproval,
  };
}
