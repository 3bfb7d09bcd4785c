/** In process, no socket between: Carrel, every run and every step journalled, beside others that keep nothing. */
import { LABELS } from '../engine/variants.mjs';
import { compareContenders } from '../suite/contenders.mjs';
import { ratioAim } from '../suite/figures.mjs';

export const title = 'Engine: runs of 1 step, 3 steps, 3 + 3 parallel steps, in process';

const OWN = [LABELS.agent, LABELS.full];
const SHAPES = { one: '1 step', row: '3 steps', parallel: '3 + 3 steps' };
const column = 'perSecond';

function ratios(labels) {
  const { agent, full, normal, agentBound, bound, plain } = LABELS;
  const peers = labels.filter((label) => ![agent, full, normal, agentBound, bound, plain].includes(label));
  const beside = OWN.filter((of) => labels.includes(of)).flatMap((of) => peers.map((to) => ({ of, to, column })));
  const bounds = [agentBound, bound].filter((of) => labels.includes(of));
  return [...beside, ...bounds.flatMap((of) => peers.map((to) => ({ of, to, column })))];
}

/** What is aimed at holds at full load: one by one, a durable run waits for the disk. */
function aimsOf(tables) {
  const at100 = (wanted) => tables.find(({ shape, concurrency }) => shape === wanted && concurrency === 100);
  const beside = (shape, of, to, atLeast) =>
    ratioAim(`${SHAPES[shape]}: ${of} beside ${to}, runs/s`, at100(shape), { of, to, column }, { atLeast });
  return [
    beside('one', LABELS.agent, LABELS.mastraMute, 2),
    beside('one', LABELS.agent, LABELS.langgraphMute, 10),
    beside('one', LABELS.agent, LABELS.openai, 2.5),
    ...['row', 'parallel'].flatMap((shape) =>
      [LABELS.mastraMute, LABELS.mastra].map((to) => beside(shape, LABELS.full, to, 1.5)),
    ),
  ];
}

export async function run({ isQuick, log }) {
  const times = isQuick ? { rounds: 2, ms: 100, warmMs: 150 } : { rounds: 5, ms: 400, warmMs: 1200 };
  const tables = await compareContenders({ folder: 'engine', at: [100, 1], ...times, ratios, log });
  return { tables, aims: aimsOf(tables) };
}
