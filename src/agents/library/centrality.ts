import type { Pace } from './pace.js';
import { addTo, product, type VectorSpace } from './term-vectors.js';

const DAMPING = 0.85;
const MAX_ROUNDS = 40;
const SETTLED = 1e-4;

/**
 * How central each sentence is to its text, the most central one 1: LexRank over the likeness of all pairs. The matrix of
 * pairs is never made (S = X·Xᵀ is applied as two passes over the sparse rows of X), so the time grows with the text, not
 * with its square.
 */
export async function centralityOf(space: VectorSpace, pace: Pace): Promise<number[]> {
  const count = space.vectors.length;
  const likeness = async (values: readonly number[]): Promise<number[]> => {
    const sums = new Float64Array(space.size);
    await pace.each(space.vectors, (vector, i) => addTo(sums, vector, values[i] ?? 0));
    const result: number[] = [];
    // minus the likeness of a sentence to itself
    await pace.each(space.vectors, (vector, i) => result.push(Math.max(product(sums, vector) - (values[i] ?? 0), 0)));
    return result;
  };
  const degrees = await likeness(Array.from({ length: count }, () => 1));
  let ranks = Array.from({ length: count }, () => 1 / count);
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const given = ranks.map((rank, i) => ((degrees[i] ?? 0) > 1e-9 ? rank / (degrees[i] ?? 1) : 0));
    const taken = await likeness(given);
    const next = taken.map((rank) => (1 - DAMPING) / count + DAMPING * rank);
    const change = next.reduce((sum, rank, i) => sum + Math.abs(rank - (ranks[i] ?? 0)), 0);
    ranks = next;
    if (change < SETTLED) break;
  }
  const top = ranks.reduce((max, rank) => Math.max(max, rank), 0) || 1;
  return ranks.map((rank) => rank / top);
}
