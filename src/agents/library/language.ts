import { franc } from 'franc-min';
import * as stopword from 'stopword';

/** What a language's texts need. */
export interface Language {
  /** BCP 47, e.g. `en`; `und` when it is not known. */
  readonly tag: string;
  /** Lower-case words that carry no subject: articles, pronouns, auxiliaries. Empty when there is no list of them. */
  readonly stopWords: ReadonlySet<string>;
  /** Whether words are written without blanks between them. */
  readonly isUnspaced: boolean;
}

const UNSPACED = new Set(['zh', 'ja', 'th', 'lo', 'km', 'my', 'yue']);

const DETECTION_CHARS = 4_000;

/** What the list of the library leaves out of English function words and of the verbs and adverbs that go with anything. */
const MORE_ENGLISH = `again against already although always among around away back became becomes better cannot could
  doesn't don't done down during each else enough even ever every everything exactly few first follow found further gave
  gets getting give given gives giving go goes going gone had hence however i'm i've indeed instead isn't it's itself just
  keep keeps kept know known last later least less let lets likely long look made makes making may maybe mean means
  might more nearly neither next no nobody none nor nothing often once one ones onto ought own per perhaps please put puts
  quite rather really same say says second seem seems several shall she show shown shows so something sometimes soon
  take takes tell tells thing things think third though three thus till today together too toward towards tried tries try two
  unless until upon us use used uses using usually various via want wants whatever when whenever wherever whether whichever
  whole whom whose why will within without won't would yes yet you're yours yourself able above across actually almost
  its itself himself herself themselves ourselves ours theirs hers per so not no no-one along ago anyone anything below beside besides beyond called both etc e.g i.e`;

const STOP_WORDS: ReadonlyMap<string, ReadonlySet<string>> = new Map(
  Object.entries(stopword)
    .filter((entry): entry is [string, string[]] => /^[a-z]{3}$/.test(entry[0]) && Array.isArray(entry[1]))
    .map(([code, words]) => [tagOf(code), new Set(words.map((word) => word.toLowerCase()))] as const)
    .map(([tag, words]) => [tag, tag === 'en' ? new Set([...words, ...MORE_ENGLISH.split(/\s+/)]) : words]),
);

/** The language that is asked for, else the one that the text is most likely written in. */
export function languageOf(text: string, asked?: string): Language {
  const tag = asked ? tagOf(asked) : tagOf(franc(text.slice(0, DETECTION_CHARS)));
  return { tag, stopWords: STOP_WORDS.get(tag) ?? new Set(), isUnspaced: UNSPACED.has(tag) };
}

/** `eng`, `en-GB` → `en`. */
function tagOf(code: string): string {
  try {
    return new Intl.Locale(code).language || 'und';
  } catch {
    return 'und';
  }
}
