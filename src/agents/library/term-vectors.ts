import type { Pace } from './pace.js';
import type { Sentence } from './text-document.js';

/** A sentence as its terms, weighted and of length 1, so that a product of two vectors is their likeness from 0 to 1. */
export interface TermVector {
  readonly terms: readonly number[];
  readonly weights: readonly number[];
}

/** The vectors of sentences, weighted by how much each term tells them apart (TF-IDF). */
export class VectorSpace {
  private constructor(
    private readonly ids: ReadonlyMap<string, number>,
    private readonly idf: readonly number[],
    readonly vectors: readonly TermVector[],
  ) {}

  static async of(sentences: readonly Sentence[], pace: Pace): Promise<VectorSpace> {
    const ids = new Map<string, number>();
    const frequencies: number[] = [];
    await pace.each(sentences, ({ words }) => {
      for (const stem of new Set(words.map((word) => word.stem))) {
        if (stem === '') continue;
        const id = ids.get(stem) ?? ids.size;
        ids.set(stem, id);
        frequencies[id] = (frequencies[id] ?? 0) + 1;
      }
    });
    const idf = frequencies.map((frequency) => Math.log(1 + sentences.length / frequency));
    const vectors: TermVector[] = [];
    const space = new VectorSpace(ids, idf, vectors);
    await pace.each(sentences, (sentence) => vectors.push(space.vectorOf([sentence])));
    return space;
  }

  get size(): number {
    return this.idf.length;
  }

  /** Terms that no sentence of the space has are left out. */
  vectorOf(sentences: readonly Sentence[]): TermVector {
    const counts = new Map<number, number>();
    for (const { words } of sentences) {
      for (const { stem } of words) {
        const id = this.ids.get(stem);
        if (id !== undefined) counts.set(id, (counts.get(id) ?? 0) + 1);
      }
    }
    const terms = [...counts.keys()];
    const raw = [...counts].map(([id, count]) => (1 + Math.log(count)) * (this.idf[id] ?? 0));
    const length = Math.sqrt(raw.reduce((sum, weight) => sum + weight * weight, 0)) || 1;
    return { terms, weights: raw.map((weight) => weight / length) };
  }

  /** A vector to compare many others with. */
  dense(vector: TermVector): Float64Array {
    const dense = new Float64Array(this.size);
    addTo(dense, vector, 1);
    return dense;
  }
}

export function addTo(dense: Float64Array, { terms, weights }: TermVector, factor: number): void {
  for (const [at, term] of terms.entries()) dense[term] = (dense[term] ?? 0) + (weights[at] ?? 0) * factor;
}

export function product(dense: Float64Array, { terms, weights }: TermVector): number {
  let sum = 0;
  for (const [at, term] of terms.entries()) sum += (dense[term] ?? 0) * (weights[at] ?? 0);
  return sum;
}

/** From 0 to 1. */
export function likenessOf(a: TermVector, b: TermVector): number {
  const weights = new Map(a.terms.map((term, at) => [term, a.weights[at] ?? 0]));
  return b.terms.reduce((sum, term, at) => sum + (weights.get(term) ?? 0) * (b.weights[at] ?? 0), 0);
}
