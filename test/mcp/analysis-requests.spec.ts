import type { UsableTool } from '../../src/agents/tools/tool-definition.js';
import { RequestAnalyser } from '../../src/execution/mcp/analysis/request-analyser.service.js';
import type { RequestDecision } from '../../src/execution/mcp/analysis/request-decision.js';
import { ToolIndexes } from '../../src/execution/mcp/analysis/tool-indexes.service.js';
import { mustAsk } from '../../src/execution/tools/tool-policy.js';
import { ToolSchemas } from '../../src/execution/tools/tool-schemas.service.js';
import { loadConfig } from '../../src/config/load-config.js';
import { contextOf } from '../agents/recording-run.js';
import { HeldClock } from '../contracts/storage-world.js';
import { realTools } from './analysis-catalogue.js';
import { DOCUMENT, writtenRequests, type WrittenRequest } from './analysis-table.js';

const REQUESTS = writtenRequests();
const analyser = new RequestAnalyser(new ToolIndexes(), new ToolSchemas(), loadConfig({}), new HeldClock());
let tools: UsableTool[];
let decisions: Map<number, RequestDecision>;

const analyse = (text: string) => analyser.analyse(contextOf('alice'), tools, { text });
const chosen = ({ requiresMcp, candidates: [first] }: RequestDecision) =>
  requiresMcp ? `${first!.server}.${first!.tool}` : 'standard';
const found = ({ number }: WrittenRequest) => chosen(decisions.get(number)!);
const isRight = (request: WrittenRequest) => found(request) === request.right;
const hasArguments = ({ number, arguments: args }: WrittenRequest) => {
  const first = decisions.get(number)!.candidates[0]!;
  return Object.entries(args!).every(
    ([name, value]) => JSON.stringify(first.arguments[name]) === JSON.stringify(value),
  );
};
const share = (right: number, all: number) => `${right} of ${all} (${Math.round((100 * right) / all)} %)`;

beforeAll(async () => {
  const user = { roles: [], agent: 'tools' };
  tools = (await realTools()).map((tool) => ({ ...tool, needsApproval: mustAsk({}, tool, user) }));
  decisions = new Map();
  for (const { number, text } of REQUESTS) decisions.set(number, await analyse(text));
}, 60_000);

describe('the written requests', () => {
  it('go to the right server and tool, or to the standard agent, nine times out of ten at least, as docs/request-analysis.md says', () => {
    const heldOut = REQUESTS.filter(({ isHeldOut }) => isHeldOut);
    const tuned = REQUESTS.filter(({ isHeldOut }) => !isHeldOut);
    const withArguments = REQUESTS.filter((request) => request.arguments && isRight(request));
    const wrong = REQUESTS.filter((request) => !isRight(request)).map(
      (request) => `${request.number}: ${found(request)}`,
    );
    const wrongArguments = withArguments.filter((request) => !hasArguments(request)).map(({ number }) => number);
    const rights = (list: readonly WrittenRequest[]) => share(list.filter(isRight).length, list.length);
    const figures = {
      all: rights(REQUESTS),
      tuned: rights(tuned),
      'held out': rights(heldOut),
      arguments: share(withArguments.length - wrongArguments.length, withArguments.length),
    };
    expect({ figures: figuresIn(DOCUMENT), wrong, wrongArguments }).toEqual({
      figures,
      wrong: wrongIn(DOCUMENT),
      wrongArguments,
    });
    expect(REQUESTS.length).toBeGreaterThanOrEqual(60);
    expect(REQUESTS.filter(isRight).length / REQUESTS.length).toBeGreaterThanOrEqual(0.9);
  });

  it('never choose a destructive tool without saying that the user is asked first', () => {
    for (const { candidates } of decisions.values())
      for (const { server, tool, needsApproval } of candidates) {
        const definition = tools.find((one) => one.server === server && one.tool === tool)!;
        expect({ tool, needsApproval }).toEqual({
          tool,
          needsApproval: definition.destructive || definition.openWorld,
        });
      }
  });

  it('have candidates with what speaks for them, and a reason', () => {
    for (const { confidence, reason, candidates, threshold, requiresMcp } of decisions.values()) {
      expect(reason).not.toBe('');
      expect(confidence).toBe(candidates[0]?.score ?? 0);
      expect(candidates.length).toBeLessThanOrEqual(5);
      for (const { why, score } of candidates) {
        expect(why).not.toBe('');
        expect(score).toBeGreaterThan(0);
        expect(score).toBeLessThanOrEqual(1);
      }
      if (requiresMcp) expect(confidence).toBeGreaterThanOrEqual(threshold);
    }
  });
});

/** The rows of the document's table of figures. */
function figuresIn(text: string): Record<string, string> {
  const rows = text.matchAll(/^\| (all|tuned|held out|arguments) +\| (\d+ of \d+ \(\d+ %\)) +\|$/gm);
  return Object.fromEntries([...rows].map(([, name, figure]) => [name!, figure!]));
}

/** The document's list of what goes wrong: `- 12: browser.browser_click …`. */
function wrongIn(text: string): string[] {
  return [...text.matchAll(/^- (\d+): `([^`]+)`/gm)].map(([, number, tool]) => `${number}: ${tool}`);
}
