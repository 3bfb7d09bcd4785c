import MiniSearch from 'minisearch';
import type { ToolDefinition } from '../../tools/tool-definition.js';
import { propertiesOf } from './argument-shape.js';
import { informativeStems, partsOf, stemOf } from './words.js';

/** How much a word counts in a tool's description of itself: its name says what it is for, the rest says how it is used. */
const FIELD_WEIGHTS = { name: 1, title: 0.9, summary: 0.85, arguments: 0.6, details: 0.6, hints: 0.4, server: 0.5 };
type Field = keyof typeof FIELD_WEIGHTS;
const FIELDS = Object.keys(FIELD_WEIGHTS) as Field[];

/** Typing errors are forgiven in words that are long enough not to become another word by one. */
const FUZZY_FROM_CHARS = 6;
const FUZZY_WEIGHT = 0.7;
/** Nobody has to read more than this of what a server says of one tool. */
const MAX_DESCRIPTION_CHARS = 2_000;
const MAX_PROPERTIES = 50;

/** A word of a request, as the catalogue knows it. */
export interface TermMatches {
  /** How much the word tells tools apart, from its inverse document frequency; highest when no tool has it. */
  readonly idf: number;
  /** By the tool's place in the catalogue: how well it has the word, from 0 to 1, and the library's score. */
  readonly tools: ReadonlyMap<number, { readonly weight: number; readonly score: number }>;
}

/** A full-text index of what a catalogue's tools say of themselves. Immutable, so that it can be used as long as they say so. */
export class ToolIndex {
  private readonly search: MiniSearch<{ id: number } & Record<Field, string>>;
  private readonly frequency = new Map<string, number>();

  constructor(private readonly tools: readonly ToolDefinition[]) {
    this.search = new MiniSearch({
      fields: FIELDS,
      tokenize: informativeStems,
      processTerm: (term) => term,
      searchOptions: {
        tokenize: (term) => [term],
        boost: FIELD_WEIGHTS,
        fuzzy: (term) => (term.length >= FUZZY_FROM_CHARS ? 1 : false),
        weights: { fuzzy: FUZZY_WEIGHT, prefix: 0 },
      },
    });
    const documents = tools.map((tool, id) => ({ id, ...fieldsOf(tool) }));
    this.search.addAll(documents);
    for (const document of documents) {
      const stems = new Set(FIELDS.flatMap((field) => informativeStems(document[field])));
      for (const stem of stems) this.frequency.set(stem, (this.frequency.get(stem) ?? 0) + 1);
    }
  }

  matchesOf(stem: string): TermMatches {
    const found = this.search.search(stem);
    const tools = new Map(
      found.map(({ id, match, score }) => {
        const weights = Object.entries(match).map(
          ([term, fields]) =>
            Math.max(...fields.map((field) => FIELD_WEIGHTS[field as Field])) * (term === stem ? 1 : FUZZY_WEIGHT),
        );
        return [id as number, { weight: Math.max(...weights), score }];
      }),
    );
    return { idf: this.idf(found.length), tools };
  }

  /** The words of a tool's name, each with how much it tells tools apart. The ones that all tools of its server have say nothing. */
  nameOf(place: number): Map<string, number> {
    const { server, tool } = this.tools[place]!;
    const siblings = this.tools.filter((other) => other.server === server);
    const stems = [...new Set(informativeStems(tool))];
    const own = stems.filter(
      (stem) => siblings.length === 1 || !siblings.every(({ tool: name }) => partsOf(name).map(stemOf).includes(stem)),
    );
    return new Map((own.length > 0 ? own : stems).map((stem) => [stem, this.idf(this.frequency.get(stem) ?? 0)]));
  }

  private idf(frequency: number): number {
    return Math.log(1 + (this.tools.length - frequency + 0.5) / (frequency + 0.5));
  }
}

function fieldsOf({ server, tool, title = '', description, inputSchema }: ToolDefinition): Record<Field, string> {
  const text = description.slice(0, MAX_DESCRIPTION_CHARS);
  const summary = /^[\s\S]*?[.!?](?=\s|$)|^[\s\S]*/.exec(text)?.[0] ?? '';
  const properties = propertiesOf(inputSchema).slice(0, MAX_PROPERTIES);
  return {
    name: tool,
    title,
    summary,
    details: text.slice(summary.length),
    arguments: properties.map(({ name }) => name).join(' '),
    hints: properties.map(({ hint, values }) => [hint.slice(0, MAX_DESCRIPTION_CHARS), ...values].join(' ')).join(' '),
    server,
  };
}
