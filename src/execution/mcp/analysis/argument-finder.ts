import type { JsonValue } from '../../../shared/json.js';
import { listed, placeOf, readAs, valueIn } from './argument-reading.js';
import type { ArgumentShape } from './argument-shape.js';
import { isDenied } from './grammar.js';
import type { ReadRequest } from './read-request.js';
import type { RequestValue, ValueKind } from './request-values.js';
import { isCommonWord, isFunctionWord, type TextWord } from './words.js';

/** How an argument was found: `weak` is a part of a sentence that stands where the value would. */
export type ArgumentSource = 'given' | 'named' | 'typed' | 'weak' | 'default';

export interface FoundArgument {
  readonly value: JsonValue;
  readonly source: ArgumentSource;
}

/** A part of the text that is an argument. */
interface Span {
  readonly start: number;
  readonly end: number;
}

/** Words before and behind a value that can say what it is. */
const WORDS_BEFORE = 2;
const WORDS_BEHIND = 2;
/** Its name counts twice: one word of the name is enough, of the description it has to be two. */
const NAME_POINTS = 2;
const MIN_POINTS = 2;
const MAX_WEAK_WORDS = 30;

const KINDS_OF_TEXT: readonly ValueKind[] = ['code', 'quoted', 'glob', 'rest', 'url', 'path'];

/** Finds a tool's arguments in a request. One for each tool and request: it remembers which value is taken. */
export class ArgumentFinder {
  readonly found = new Map<string, FoundArgument>();
  /** Places of words that say which argument a value is. */
  private readonly labels = new Set<number>();
  private readonly claimed: (Span & { readonly source: ArgumentSource })[] = [];

  /** @param mentions stems of the request's words that the tool's description of itself has */
  constructor(
    private readonly request: ReadRequest,
    private readonly shapes: readonly ArgumentShape[],
    private readonly mentions: ReadonlySet<string>,
  ) {
    this.takeGiven();
    this.takeJson();
    this.takeNamed();
    this.takeListedValues();
    this.takeLabelled();
    this.takeTyped();
    this.takeNumbers();
    this.takeNamedInWords();
    this.takeTexts();
    this.takeRest();
    this.takeFlags();
    for (const shape of this.open(({ isRequired, fallback }) => isRequired && fallback !== undefined))
      this.found.set(shape.name, { value: shape.fallback!, source: 'default' });
  }

  isRequired(name: string): boolean {
    return this.shapes.some((shape) => shape.name === name && shape.isRequired);
  }

  /** Whether the word there says which argument a value is. */
  isLabel(place: number): boolean {
    return this.labels.has(place);
  }

  isClaimed(place: number): boolean {
    return this.claimed.some(({ start, end }) => place >= start && place < end);
  }

  /** Whether what stands there was taken for an argument only because it stands there. */
  isWeak(place: number): boolean {
    return this.claimed.some(({ start, end, source }) => source === 'weak' && place >= start && place < end);
  }

  /** Values of the text that no argument has taken. */
  get unclaimed(): readonly RequestValue[] {
    return this.request.values.all.filter((value) => value.kind !== 'rest' && !this.overlapsClaimed(value));
  }

  private takeGiven(): void {
    for (const { name } of this.shapes)
      if (Object.hasOwn(this.request.given, name) && this.request.given[name] !== undefined)
        this.found.set(name, { value: this.request.given[name], source: 'given' });
  }

  /** An object in the text that has the tool's arguments, or a list for the one argument that is a list. */
  private takeJson(): void {
    for (const { value, ...span } of this.values('json')) {
      if (Array.isArray(value)) {
        const shape = this.open(({ type }) => type === 'array')[0];
        if (shape) this.take(shape, value as JsonValue, 'named', span);
        continue;
      }
      for (const shape of this.open(({ name }) => Object.hasOwn(value as object, name)))
        this.take(shape, (value as Record<string, JsonValue>)[shape.name]!, 'named', span);
    }
  }

  private takeNamed(): void {
    for (const { name, text, ...span } of this.request.values.named) {
      const shape = this.open((one) => squeezed(one.name) === squeezed(name))[0];
      const value = shape && readAs(shape, text);
      if (value !== undefined) this.take(shape!, value, 'named', span);
    }
  }

  /** Values that the schema lists, where the text has one of them as it is. */
  private takeListedValues(): void {
    for (const shape of this.open(({ values }) => values.length > 0)) {
      const value = valueIn(shape.values, this.request.values.words) ?? this.quotedOf(shape);
      if (value === undefined) continue;
      const start = placeOf(value, this.request.values.text);
      this.take(shape, value, 'typed', { start, end: start + value.length });
    }
  }

  /** Values beside words that the argument's name or description has: "width 800", "the first 20 lines". */
  private takeLabelled(): void {
    const pairs = this.open(({ values }) => values.length === 0).flatMap((shape) =>
      this.free()
        .filter((value) => fits(shape, value))
        .map((value) => ({ shape, value, ...this.labelOf(shape, value) }))
        .filter(({ points }) => points >= MIN_POINTS),
    );
    for (const { shape, value, words } of pairs.toSorted((a, b) => b.points - a.points)) {
      if (this.found.has(shape.name) || this.overlapsClaimed(value)) continue;
      this.takeText(shape, shape.type === 'array' ? this.free(value.kind) : [value]);
      for (const { start } of words) this.labels.add(start);
    }
  }

  /** Paths, addresses and dates, where the argument is to be one. */
  private takeTyped(): void {
    for (const shape of this.open(({ kind }) => kind === 'path' || kind === 'url')) {
      const kinds: readonly ValueKind[] = shape.kind === 'url' ? ['url'] : ['path'];
      const spare: readonly ValueKind[] = shape.isRequired && shape.kind === 'path' ? ['quoted'] : kinds;
      this.takeText(shape, this.free(...(this.free(...kinds).length > 0 ? kinds : spare)));
    }
    for (const shape of this.open(({ kind, isRequired }) => isRequired && kind.startsWith('date'))) {
      const date = this.request.dates().find((one) => !this.overlapsClaimed(one));
      if (date) this.take(shape, shape.kind === 'date' ? date.date : date.dateTime, 'typed', date);
    }
  }

  private takeNumbers(): void {
    for (const shape of this.open(({ isRequired }) => isRequired)) {
      const value = this.free('number').find((one) => fits(shape, one));
      if (value && (shape.type === 'number' || shape.type === 'integer')) this.takeText(shape, [value]);
    }
  }

  private takeTexts(): void {
    for (const shape of this.open(
      ({ isRequired, kind, values }) => isRequired && kind === 'text' && values.length === 0,
    )) {
      const kinds = shape.type === 'array' ? KINDS_OF_TEXT.slice(0, 2) : KINDS_OF_TEXT;
      if (isTextual(shape))
        this.takeText(
          shape,
          kinds.flatMap((kind) => this.free(kind)),
        );
    }
  }

  /** The first of the values, or, for a list, all that are of its kind. */
  private takeText(shape: ArgumentShape, candidates: readonly RequestValue[]): void {
    const values = candidates.filter((value) => fits(shape, value));
    if (values.length === 0) return;
    const items = shape.type === 'array' ? values.filter(({ kind }) => kind === values[0]!.kind) : values.slice(0, 1);
    const read = items.map(({ value }) => (shape.type === 'string' ? String(value) : value));
    this.take(shape, shape.type === 'array' ? read : read[0]!, 'typed', ...items);
  }

  /** What stands behind the argument's name: "the topic of …". */
  private takeNamedInWords(): void {
    for (const shape of this.openTexts()) this.takeWeak(shape, this.behindName(shape));
  }

  /** What is left of the sentence behind all that the tool speaks of: "search the nodes for …". */
  private takeRest(): void {
    const [shape, ...others] = this.open(({ isRequired, fallback }) => isRequired && fallback === undefined);
    if (shape && others.length === 0 && this.openTexts().includes(shape)) this.takeWeak(shape, this.behindMentions());
  }

  private takeWeak(shape: ArgumentShape, from: number | undefined): void {
    const span = from === undefined ? undefined : this.restOfSentence(from);
    if (!span) return;
    const text = this.request.values.text.slice(span.start, span.end);
    this.take(shape, shape.type === 'array' ? listed(text) : text, 'weak', span);
  }

  /** "with an image" where there is a flag `includeImage`, and all of its name is in the text; false where it is denied. */
  private takeFlags(): void {
    const { words, grammar } = this.request;
    for (const shape of this.open(({ type, nameStems }) => type === 'boolean' && nameStems.size > 0)) {
      const named = words.filter(({ stem }) => shape.nameStems.has(stem));
      if (new Set(named.map(({ stem }) => stem)).size < shape.nameStems.size) continue;
      this.take(shape, !named.some(({ start }) => isDenied(grammar, start)), 'typed');
    }
  }

  private quotedOf({ values }: ArgumentShape): string | undefined {
    const quoted = this.free('quoted', 'code').map(({ value }) => String(value).toLowerCase());
    return values.find((value) => quoted.includes(value.toLowerCase()));
  }

  private labelOf({ nameStems, hintStems }: ArgumentShape, { start, end, kind }: RequestValue) {
    const words = this.request.words.filter((word) => !isFunctionWord(word.text));
    const before = words.filter((word) => word.end <= start && this.isBeside(word.end, start)).slice(-WORDS_BEFORE);
    const behind = words.filter((word) => word.start >= end && this.isBeside(end, word.start)).slice(0, WORDS_BEHIND);
    const beside = kind === 'number' ? [...before, ...behind] : before;
    const pointsOf = ({ stem }: TextWord) =>
      nameStems.has(stem) ? NAME_POINTS : kind === 'number' && hintStems.has(stem) ? 1 : 0;
    const labels = beside.filter((word) => pointsOf(word) > 0);
    return { words: labels, points: labels.reduce<number>((sum, word) => sum + pointsOf(word), 0) };
  }

  /** No other value and no end of a clause in between. */
  private isBeside(from: number, to: number): boolean {
    const between = this.request.values.text.slice(from, to);
    return (
      !/[.,;!?](?:\s|$)/.test(between) &&
      !this.request.values.all.some(({ start, kind }) => kind !== 'rest' && start >= from && start < to)
    );
  }

  private behindName({ nameStems }: ArgumentShape): number | undefined {
    return this.request.words.findLast(({ stem, start }) => nameStems.has(stem) && !this.isClaimed(start))?.end;
  }

  private behindMentions(): number | undefined {
    return this.request.words.findLast(({ stem, start }) => this.mentions.has(stem) && !this.isClaimed(start))?.end;
  }

  private restOfSentence(from: number): Span | undefined {
    const { text, all } = this.request.values;
    const end = from + (/[.!?;\n](?:\s|$)|$/.exec(text.slice(from))?.index ?? 0);
    const inside = this.request.words.filter((word) => word.start >= from && word.end <= end).slice(0, MAX_WEAK_WORDS);
    const first = inside.findIndex((word) => !isFunctionWord(word.text));
    if (first < 0 || !inside.slice(first).some(({ text: word }) => !isFunctionWord(word) && !isCommonWord(word)))
      return undefined;
    const span = { start: inside[first]!.start, end: inside.at(-1)!.end };
    const isMixed = all.some(
      (value) => value.kind !== 'rest' && value.kind !== 'number' && value.start >= from && value.start < end,
    );
    return isMixed || this.overlapsClaimed(span) ? undefined : span;
  }

  private take({ name }: ArgumentShape, value: JsonValue, source: ArgumentSource, ...spans: readonly Span[]): void {
    this.found.set(name, { value, source });
    this.claimed.push(...spans.map(({ start, end }) => ({ start, end, source })));
  }

  /** Those that must be told and can be any text. */
  private openTexts(): ArgumentShape[] {
    return this.open(
      (shape) =>
        shape.isRequired &&
        shape.fallback === undefined &&
        shape.kind === 'text' &&
        shape.values.length === 0 &&
        isTextual(shape),
    );
  }

  private open(isMeant: (shape: ArgumentShape) => boolean): ArgumentShape[] {
    return this.shapes.filter((shape) => !this.found.has(shape.name) && isMeant(shape));
  }

  private values(...kinds: readonly ValueKind[]): RequestValue[] {
    return this.request.values.all.filter(({ kind }) => kinds.length === 0 || kinds.includes(kind));
  }

  private free(...kinds: readonly ValueKind[]): RequestValue[] {
    return this.values(...kinds).filter((value) => !this.overlapsClaimed(value));
  }

  private overlapsClaimed({ start, end }: Span): boolean {
    return this.claimed.some((span) => start < span.end && end > span.start);
  }
}

function isTextual({ type, items }: ArgumentShape): boolean {
  return (
    type === 'string' || type === 'any' || (type === 'array' && (items?.type === 'string' || items?.type === 'any'))
  );
}

function fits(shape: ArgumentShape, { kind, value }: RequestValue): boolean {
  if (shape.type === 'array')
    return (
      shape.items !== undefined && shape.items.type !== 'array' && fits(shape.items, { kind, value } as RequestValue)
    );
  switch (shape.type) {
    case 'number':
      return kind === 'number';
    case 'integer':
      return Number.isInteger(value);
    case 'string':
    case 'any':
      return (
        kind !== 'json' && (kind !== 'number' || shape.kind === 'text') && (shape.kind !== 'url' || kind === 'url')
      );
    default:
      return false;
  }
}

function squeezed(name: string): string {
  return name.replaceAll(/[-_]/g, '').toLowerCase();
}
