/** An agent with a language model that answers at once and calls one tool: Carrel records and journals, the others keep nothing. */
import { VARIANTS } from '../agents/variants.mjs';
import { compareContenders } from '../suite/contenders.mjs';

export const title = 'Agents: a language model at zero latency that calls one tool, in process';

const isOwn = (label) => label.startsWith('Carrel');

export async function run({ isQuick, log }) {
  const times = isQuick ? { rounds: 2, ms: 150, warmMs: 300 } : { rounds: 5, ms: 600, warmMs: 1500 };
  const [own] = Object.values(VARIANTS).map(({ label }) => label);
  const ratios = (labels) =>
    labels.filter((label) => !isOwn(label)).map((to) => ({ of: own, to, column: 'perSecond' }));
  const tables = await compareContenders({ folder: 'agents', at: [100, 1], ...times, ratios, log });
  return { tables, aims: [] };
}
