import nlp from 'compromise/two';

/** What the form of a request tells of what is wanted. */
export interface Grammar {
  /** It tells somebody to do something: "Read …", "please list …". */
  readonly isOrder: boolean;
  /** It asks what something of a kind is, not for something that is there: "What is a …?". */
  readonly asksForMeaning: boolean;
  /** Where words stand that only say that something is wanted: "I *need* …", "we would *like* …". */
  readonly framing: ReadonlySet<number>;
  /** Places of what is denied: from the "not" to the end of the clause. */
  readonly denied: readonly { readonly start: number; readonly end: number }[];
}

/** Enough of a text to see what it wants; the tagger's time grows with it. */
const MAX_CHARS = 1_000;
const CLAUSE_END = /[,.;:!?\n]/;

/** Reads the grammar of an English text; of others, it sees nothing. */
export function grammarOf(text: string): Grammar {
  const document = nlp(text.slice(0, MAX_CHARS));
  const framing = startsOf(document.match('(i|we) (#Modal|#Adverb)? [#Infinitive]', 0));
  const denied = startsOf(document.match('#Negative')).map((start) => {
    const end = text.slice(start).search(CLAUSE_END);
    return { start, end: end < 0 ? text.length : start + end };
  });
  const asksForMeaning = document.has('^(what|who) #Copula (a|an)');
  return { isOrder: document.has('#Imperative'), asksForMeaning, framing: new Set(framing), denied };
}

/** Whether a place is in what the request denies. */
export function isDenied({ denied }: Grammar, place: number): boolean {
  return denied.some(({ start, end }) => place >= start && place < end);
}

function startsOf(view: Pick<ReturnType<typeof nlp>, 'json'>): number[] {
  const found = view.json({ offset: true }) as { offset: { start: number } }[];
  return found.map(({ offset }) => offset.start);
}
