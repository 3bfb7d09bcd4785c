import { Agent } from '../agent.decorator.js';
import type { AgentProvider } from '../agent-provider.js';
import type { AgentRun } from '../agent-run.js';
import { type Findings, type FoundChange, type FoundFigure, SHOWN, textData, type TextData } from './analysis.js';

type Finding = Findings['findings'][number];

/** Fewer figures of a unit have no usual size. */
const FEWEST_OF_A_UNIT = 4;
/** Modified z-score from which a figure is out of line (Iglewicz and Hoaglin). */
const OUT_OF_LINE = 3.5;

@Agent({
  name: 'rank-findings',
  description:
    'Ranks what stands out among the figures of a text: the biggest changes, figures out of line with others of their unit, and the largest ones.',
  input: textData,
  effect: 'idempotent',
})
export class RankFindingsAgent implements AgentProvider<TextData, Findings> {
  async run({ figures, changes }: TextData, run: AgentRun): Promise<Findings> {
    const units = Map.groupBy(
      figures.filter(({ unit }) => unit !== ''),
      ({ unit }) => unit,
    );
    const all = [
      ...changes.flatMap((change) => changeFinding(change)),
      ...[...units.values()].flatMap((group) => [...outliersOf(group), ...largestOf(group)]),
    ];
    const best = Math.max(...all.map(({ weight }) => weight), Number.MIN_VALUE);
    const findings = all
      .toSorted((a, b) => b.weight - a.weight)
      .slice(0, SHOWN.findings)
      .map((finding) => ({ ...finding, weight: Math.round((finding.weight / best) * 1000) / 1000 }));
    await run.thinking(findings[0] ? `What stands out most: ${findings[0].finding}` : 'Nothing stands out');
    return { findings };
  }
}

/** By how far it is from no change; twice as much weighs the same as half. */
function changeFinding({ subject, from, to, unit, ratio, direction, sentence, position }: FoundChange): Finding[] {
  if (ratio === undefined || direction === 'compared') return [];
  const steps = from === undefined ? '' : ` (from ${from} to ${to}${unit && ` ${unit}`})`;
  const finding = `${subject} went ${direction} by ${percent(Math.abs(ratio))}${steps}`;
  return [
    { finding, kind: 'change', weight: Math.abs(Math.log2(Math.max(1 + ratio, 0.01))) + 0.2, sentence, position },
  ];
}

/** On a logarithmic scale, for sizes differ by factors. */
function outliersOf(figures: readonly FoundFigure[]): Finding[] {
  const sizes = figures.flatMap((figure) => (figure.value > 0 ? [{ ...figure, size: Math.log(figure.value) }] : []));
  if (sizes.length < FEWEST_OF_A_UNIT) return [];
  const middle = median(sizes.map(({ size }) => size));
  const spread = median(sizes.map(({ size }) => Math.abs(size - middle)));
  if (spread === 0) return [];
  return sizes.flatMap(({ text, size, unit, sentence, position }) => {
    const score = Math.abs(0.6745 * (size - middle)) / spread;
    if (score < OUT_OF_LINE) return [];
    const usual = Math.round(Math.exp(middle) * 10) / 10;
    const finding = `${text} is far ${size > middle ? 'above' : 'below'} the usual ${unit} figure, about ${usual}`;
    return [{ finding, kind: 'outlier' as const, weight: Math.min(score / OUT_OF_LINE, 3) / 2, sentence, position }];
  });
}

function largestOf(figures: readonly FoundFigure[]): Finding[] {
  const [largest, ...others] = figures.toSorted((a, b) => b.value - a.value);
  if (!largest || others.length === 0 || largest.value === others[0]?.value) return [];
  const { text, unit, sentence, position } = largest;
  return [
    {
      finding: `${text} is the largest of ${figures.length} ${unit} figures`,
      kind: 'largest',
      weight: 0.15,
      sentence,
      position,
    },
  ];
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const half = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? (sorted[half] ?? 0) : ((sorted[half - 1] ?? 0) + (sorted[half] ?? 0)) / 2;
}

function percent(ratio: number): string {
  return `${Math.round(ratio * 1000) / 10} %`;
}
