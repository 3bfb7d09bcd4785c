import MiniSearch from 'minisearch';
import { setImmediate } from 'node:timers/promises';
import type { ToolDefinition } from '../../../agents/tools/tool-definition.js';
import { propertiesOf, type ArgumentShape } from './argument-shape.js';
import { stemsOf } from './words.js';

/** How much a word counts in what a tool says of itself: its name says what it is for, the rest says how it is used. */
const FIELD_WEIGHTS = { name: 1, title: 1, summary: 0.9, arguments: 0.8, details: 0.75, hints: 0.6, server: 0.8 };
type Field = keyof typeof FIELD_WEIGHTS;
const FIELDS = Object.keys(FIELD_WEIGHTS) as Field[];

/** Typing errors are forgiven in words that are long enough not to become another word by one. */
const FUZZY_FROM_CHARS = 6;
const FUZZY_WEIGHT = 0.7;
/** Nobody has to read more than this of what a server says of one tool, or of one argument. */
const MAX_DESCRIPTION_CHARS = 2_000;
const MAX_HINT_CHARS = 300;
const MAX_PROPERTIES = 50;
const TOOLS_AT_A_TIME = 10;

/** A word of a request, as the catalogue knows it. */
export interface TermMatches {
  /** How much the word tells tools apart, from its inverse document frequency; highest when no tool has it. */
  readonly idf: number;
  /** By the tool's place in the catalogue: how well it has the word, from 0 to 1, and the library's score. */
  readonly tools: ReadonlyMap<number, { readonly weight: number; readonly score: number }>;
}

/** A tool, with what was read of its schema and its name. */
export interface IndexedTool {
  readonly definition: ToolDefinition;
  readonly shapes: readonly ArgumentShape[];
  /** Stems of its name and of its title. Those that all tools of its server have are left out: they say nothing. */
  readonly names: readonly ReadonlySet<string>[];
}

/** A full-text index of what a catalogue's tools say of themselves. Immutable: it is of use as long as they say so. */
export class ToolIndex {
  private readonly search: MiniSearch<{ id: number } & Record<Field, string>>;
  private readonly nameStems: ReadonlySet<string>;
  private readonly frequencies = new Map<string, number>();

  private constructor(
    definitions: readonly ToolDefinition[],
    readonly tools: readonly IndexedTool[],
  ) {
    this.nameStems = new Set(definitions.flatMap(({ tool }) => stemsOf(tool)));
    this.search = new MiniSearch({
      fields: FIELDS,
      tokenize: stemsOf,
      processTerm: (term) => term,
      searchOptions: {
        tokenize: (term) => [term],
        boost: FIELD_WEIGHTS,
        fuzzy: (term) => (term.length >= FUZZY_FROM_CHARS ? 1 : false),
        weights: { fuzzy: FUZZY_WEIGHT, prefix: 0 },
      },
    });
  }

  /** Reads the catalogue, a few tools at a time, so that a long one holds nobody up. */
  static async of(definitions: readonly ToolDefinition[]): Promise<ToolIndex> {
    const shared = sharedStems(definitions);
    const tools: IndexedTool[] = [];
    for (const definition of definitions) {
      tools.push(indexed(definition, shared.get(definition.server)));
      if (tools.length % TOOLS_AT_A_TIME === 0) await setImmediate();
    }
    const index = new ToolIndex(definitions, tools);
    const documents = tools.map((tool, id) => ({ id, ...fieldsOf(tool) }));
    await index.search.addAllAsync(documents, { chunkSize: TOOLS_AT_A_TIME });
    return index;
  }

  /** Whether a tool is named by this word. */
  isName(stem: string): boolean {
    return this.nameStems.has(stem);
  }

  matchesOf(stem: string): TermMatches {
    const exact = this.search.search(stem, { fuzzy: false });
    const found = exact.length > 0 ? exact : this.search.search(stem);
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

  /** How much a word of the catalogue tells tools apart. */
  idfOf(stem: string): number {
    const known = this.frequencies.get(stem) ?? this.search.search(stem, { fuzzy: false }).length;
    this.frequencies.set(stem, known);
    return this.idf(known);
  }

  private idf(frequency: number): number {
    return Math.log(1 + (this.tools.length - frequency + 0.5) / (frequency + 0.5));
  }
}

function indexed(definition: ToolDefinition, shared: ReadonlySet<string> | undefined): IndexedTool {
  const own = (text = '') => new Set(stemsOf(text).filter((stem) => !shared?.has(stem)));
  const names = [own(definition.tool), own(definition.title)].filter(({ size }) => size > 0);
  return { definition, names, shapes: propertiesOf(definition.inputSchema).slice(0, MAX_PROPERTIES) };
}

/** By server, what the names of all its tools have in common. */
function sharedStems(definitions: readonly ToolDefinition[]): Map<string, Set<string>> {
  const shared = new Map<string, Set<string>>();
  const counts = new Map<string, number>();
  for (const { server, tool } of definitions) {
    const stems = new Set(stemsOf(tool));
    const before = shared.get(server);
    shared.set(server, before ? before.intersection(stems) : stems);
    counts.set(server, (counts.get(server) ?? 0) + 1);
  }
  for (const [server, count] of counts) if (count === 1) shared.delete(server);
  return shared;
}

function fieldsOf({ definition, shapes }: IndexedTool): Record<Field, string> {
  const { server, tool, title = '' } = definition;
  const text = definition.description.slice(0, MAX_DESCRIPTION_CHARS);
  const summary = /^[\s\S]*?[.!?](?=\s|$)|^[\s\S]*/.exec(text)?.[0] ?? '';
  return {
    name: tool,
    title,
    summary,
    details: text.slice(summary.length),
    arguments: shapes.map(({ name }) => name).join(' '),
    hints: shapes.map(({ hint, values }) => [hint.slice(0, MAX_HINT_CHARS), ...values].join(' ')).join(' '),
    server,
  };
}
