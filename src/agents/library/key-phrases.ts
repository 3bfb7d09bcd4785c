import type { Pace } from './pace.js';
import { collectPhrases, type Phrase } from './phrases.js';
import type { TextDocument } from './text-document.js';
import { english } from './text-libraries.js';

export interface KeyPhrase {
  /** As it stands in the text. */
  readonly phrase: string;
  /** From 0 to 1, the strongest one 1. */
  readonly score: number;
}

/** A phrase that stands inside one longer phrase this often is only a part of it. */
const PART_SHARE = 0.6;
/** How many of the best phrases are looked at again. */
const SHORTLIST = 150;
const HEADING_BONUS = 1.3;
/** What is weaker than this, beside the strongest, is noise. */
const WEAKEST = 0.1;

/** All phrases of one text, to be ranked and looked up. */
export class PhraseIndex {
  private constructor(
    private readonly document: TextDocument,
    private readonly phrases: ReadonlyMap<string, Phrase>,
  ) {}

  static async of(document: TextDocument, pace: Pace): Promise<PhraseIndex> {
    return new PhraseIndex(document, await collectPhrases(document, pace));
  }

  /** Whether the text has a phrase of these stems. */
  has(stems: readonly string[]): boolean {
    return this.phrases.has(stems.join(' '));
  }

  /** The phrases that say what the text is about, the strongest first. */
  async top(count: number, pace: Pace): Promise<(KeyPhrase & { stems: readonly string[] })[]> {
    const shortlist = [...this.phrases.values()]
      .map((phrase) => ({ phrase, score: this.scoreOf(phrase) }))
      .filter(({ score }) => score > 0)
      .toSorted((a, b) => b.score - a.score)
      .slice(0, SHORTLIST);
    const { endsAsNoun } = await english();
    const kept: typeof shortlist = [];
    await pace.each(shortlist, (entry) => {
      if (kept.length >= count || kept.some(({ phrase }) => overlap(phrase, entry.phrase))) return;
      if (this.document.language.tag !== 'en' || endsAsNoun(entry.phrase.sentence, formOf(entry.phrase)))
        kept.push(entry);
    });
    const best = kept[0]?.score ?? 1;
    return kept
      .filter(({ score }) => score >= best * WEAKEST)
      .map(({ phrase, score }) => ({
        phrase: formOf(phrase),
        score: Math.round((score / best) * 1000) / 1000,
        stems: phrase.stems,
      }));
  }

  /** Phrases of several words that come back say most. */
  private scoreOf(phrase: Phrase): number {
    const { stems, count, inHeading, inLonger } = phrase;
    if (count > 1 && inLonger >= count * PART_SHARE) return 0;
    const bonus = inHeading ? HEADING_BONUS : 1;
    if (stems.length === 1)
      return formOf(phrase).length < 3 && !this.document.language.isUnspaced ? 0 : 1.2 * Math.log2(count + 0.1) * bonus;
    if (count === 1) return inHeading ? 0.8 : 0.2;
    const words = stems.map((stem) => this.phrases.get(stem)?.count ?? count);
    // how firmly the words belong together, from 0 to 1
    const cohesion = (count * words.length) / words.reduce((sum, word) => sum + word, 0);
    return Math.log2(1 + count) * (0.8 + cohesion) * Math.log2(1 + stems.length) * bonus;
  }
}

function overlap(kept: Phrase, other: Phrase): boolean {
  const [short, long] = kept.stems.length <= other.stems.length ? [kept, other] : [other, kept];
  return short.stems.every((stem) => long.stems.includes(stem)) && (kept === short || other.count < kept.count * 2);
}

/** How it is written most often. */
function formOf({ forms }: Phrase): string {
  let best = '';
  for (const [form, count] of forms) if (count > (forms.get(best) ?? 0)) best = form;
  return best;
}
