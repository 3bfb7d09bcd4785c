/** A text ends with one of these, and goes on after it. The closing "etc." is not here: it can end a sentence, as "5 s." can. */
const ABBREVIATION =
  /(?:^|[\s("“„«/])(?:e\.g|i\.e|cf|vs|resp|approx|incl|Mr|Mrs|Ms|Dr|Prof|St|No|Nr|Fig|Sec|Vol|Ch|Art|pp?|ca|al|Inc|Ltd|Co|Corp|Jr|Sr|Gen|Gov|Sen|Rep|Rev|Capt|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec|bzw|Mme|Mlle|Sra?|(?<!\d\s)\p{L}(?:\.\s?\p{L})?)\.\s*$/u;

const MAX_SENTENCE_CHARS = 1_500;

/** Splits one block into sentences, by the rules of Unicode and without falling for abbreviations. */
export class SentenceReader {
  private readonly segmenter: Intl.Segmenter;

  constructor(languageTag: string) {
    this.segmenter = new Intl.Segmenter(languageTag, { granularity: 'sentence' });
  }

  /** One after the other, so that a long block can be read in turns. */
  *read(block: string): Iterable<string> {
    let open = '';
    for (const { segment } of this.segmenter.segment(block)) {
      open += segment;
      if (ABBREVIATION.test(open.slice(-16)) && open.length < MAX_SENTENCE_CHARS) continue;
      yield* pieces(open.trim());
      open = '';
    }
    yield* pieces(open.trim());
  }
}

/** What never ends is no sentence: it is cut between words. */
function* pieces(sentence: string): Iterable<string> {
  let rest = sentence;
  while (rest.length > MAX_SENTENCE_CHARS) {
    const blank = rest.lastIndexOf(' ', MAX_SENTENCE_CHARS);
    const end = blank > 0 ? blank : MAX_SENTENCE_CHARS;
    yield rest.slice(0, end).trim();
    rest = rest.slice(end).trim();
  }
  if (rest !== '') yield rest;
}
