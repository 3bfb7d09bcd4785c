import type { JsonObject, JsonValue } from '../../../shared/json.js';
import { labelOf, restOfSentence } from './argument-places.js';
import { fits, isTextual, listed, placeOf, readAs, valueIn } from './argument-reading.js';
import type { ArgumentShape } from './argument-shape.js';
import { FoundArguments } from './found-arguments.js';
import { isDenied } from './grammar.js';
import type { ReadRequest } from './read-request.js';
import type { RequestValue, ValueKind } from './request-values.js';
import type { TextWord } from './words.js';

/** What can be a text, the likeliest first. */
const KINDS_OF_TEXT: readonly ValueKind[] = ['code', 'quoted', 'glob', 'rest', 'url', 'path'];
const KINDS_OF_LISTED_TEXTS: readonly ValueKind[] = ['code', 'quoted'];

/**
 * Finds a tool's arguments in a request, the surest first.
 *
 * @param mentions stems of the request's words that the tool's description of itself has
 */
export function findArguments(
  request: ReadRequest,
  shapes: readonly ArgumentShape[],
  mentions: ReadonlySet<string>,
): FoundArguments {
  const args = new FoundArguments(shapes, request.values.all);
  new ArgumentFinder(args, request, mentions).find();
  return args;
}

class ArgumentFinder {
  constructor(
    private readonly args: FoundArguments,
    private readonly request: ReadRequest,
    private readonly mentions: ReadonlySet<string>,
  ) {}

  find(): void {
    this.takeGiven();
    this.takeJson();
    this.takeNamed();
    this.takeListedValues();
    this.takeLabelled();
    this.takePathsAndAddresses();
    this.takeDates();
    this.takeNumbers();
    this.takeNamedInWords();
    this.takeTexts();
    this.takeRest();
    this.takeFlags();
    this.takeDefaults();
  }

  private takeGiven(): void {
    for (const shape of this.args.open(({ name }) => Object.hasOwn(this.request.given, name))) {
      const value = this.request.given[shape.name];
      if (value !== undefined) this.args.take(shape, value, 'given');
    }
  }

  /** An object in the text that has the tool's arguments, or a list for the one argument that is a list. */
  private takeJson(): void {
    for (const { value, ...span } of this.args.free('json')) {
      if (Array.isArray(value)) {
        const shape = this.args.open(({ type }) => type === 'array')[0];
        if (shape) this.args.take(shape, value as readonly JsonValue[], 'named', span);
        continue;
      }
      const object = value as JsonObject;
      for (const shape of this.args.open(({ name }) => Object.hasOwn(object, name)))
        this.args.take(shape, object[shape.name]!, 'named', span);
    }
  }

  private takeNamed(): void {
    for (const { name, text, ...span } of this.request.values.named) {
      const shape = this.args.open((one) => squeezed(one.name) === squeezed(name))[0];
      const value = shape && readAs(shape, text);
      if (value !== undefined) this.args.take(shape!, value, 'named', span);
    }
  }

  /** Values that the schema lists, where the text has one of them as it is. */
  private takeListedValues(): void {
    const { words, text } = this.request.values;
    for (const shape of this.args.open(({ values }) => values.length > 0)) {
      const quoted = this.args
        .free('quoted', 'code')
        .map(({ value }) => (typeof value === 'string' ? value.toLowerCase() : ''));
      const value = valueIn(shape.values, words) ?? shape.values.find((one) => quoted.includes(one.toLowerCase()));
      if (value === undefined) continue;
      const start = placeOf(value, text);
      this.args.take(shape, value, 'typed', { start, end: start + value.length });
    }
  }

  /** Values beside words that the argument's name or description has. */
  private takeLabelled(): void {
    const labelled = this.args
      .open(({ values }) => values.length === 0)
      .flatMap((shape) => this.args.free().map((value) => ({ shape, value })))
      .filter(({ shape, value }) => fits(shape, value))
      .flatMap(({ shape, value }) => {
        const label = labelOf(shape, value, this.request);
        return label ? [{ shape, value, label }] : [];
      });
    for (const { shape, value, label } of labelled.toSorted((a, b) => b.label.points - a.label.points)) {
      if (this.args.found.has(shape.name) || this.args.overlaps(value)) continue;
      this.takeValues(shape, shape.type === 'array' ? this.args.free(value.kind) : [value]);
      for (const { start } of label.words) this.args.label(start);
    }
  }

  private takePathsAndAddresses(): void {
    for (const shape of this.args.open(({ kind }) => kind === 'path' || kind === 'url')) {
      const sure = this.args.free(shape.kind === 'url' ? 'url' : 'path');
      const maybe = shape.isRequired && shape.kind === 'path' ? this.args.free('quoted') : [];
      this.takeValues(shape, sure.length > 0 ? sure : maybe);
    }
  }

  private takeDates(): void {
    for (const shape of this.args.open(({ kind, isRequired }) => isRequired && kind.startsWith('date'))) {
      const date = this.request.dates().find((one) => !this.args.overlaps(one));
      if (date) this.args.take(shape, shape.kind === 'date' ? date.date : date.dateTime, 'typed', date);
    }
  }

  private takeNumbers(): void {
    for (const shape of this.args.open(
      ({ isRequired, type }) => isRequired && (type === 'number' || type === 'integer'),
    ))
      this.takeValues(shape, this.args.free('number'));
  }

  /** What stands behind the argument's name: "the topic of …". */
  private takeNamedInWords(): void {
    for (const shape of this.openTexts()) this.takeWeak(shape, ({ stem }) => shape.nameStems.has(stem));
  }

  private takeTexts(): void {
    for (const shape of this.openTexts()) {
      const kinds = shape.type === 'array' ? KINDS_OF_LISTED_TEXTS : KINDS_OF_TEXT;
      const values = kinds.flatMap((kind) => this.args.free(kind));
      this.takeValues(shape, values);
    }
  }

  /** What is left of the sentence behind all that the tool speaks of, if it lacks nothing else: "search the nodes for …". */
  private takeRest(): void {
    const [shape, ...others] = this.args.open(({ isRequired, fallback }) => isRequired && fallback === undefined);
    if (shape && others.length === 0 && this.openTexts().includes(shape))
      this.takeWeak(shape, ({ stem }) => this.mentions.has(stem));
  }

  /** "with an image" where there is a flag `includeImage`, and all of its name is in the text; false where it is denied. */
  private takeFlags(): void {
    const { words, grammar } = this.request;
    for (const shape of this.args.open(({ type, nameStems }) => type === 'boolean' && nameStems.size > 0)) {
      const named = words.filter(({ stem }) => shape.nameStems.has(stem));
      if (new Set(named.map(({ stem }) => stem)).size < shape.nameStems.size) continue;
      this.args.take(shape, !named.some(({ start }) => isDenied(grammar, start)), 'typed');
    }
  }

  private takeDefaults(): void {
    for (const shape of this.args.open(({ isRequired, fallback }) => isRequired && fallback !== undefined))
      this.args.take(shape, shape.fallback!, 'default');
  }

  /** Arguments that must be told and can be any text. */
  private openTexts(): ArgumentShape[] {
    return this.args.open(
      (shape) => shape.isRequired && shape.kind === 'text' && shape.values.length === 0 && isTextual(shape),
    );
  }

  /** The first of the values that fits, or, for a list, all that are of its kind. */
  private takeValues(shape: ArgumentShape, candidates: readonly RequestValue[]): void {
    const [first, ...others] = candidates.filter((value) => fits(shape, value));
    if (!first) return;
    const items = shape.type === 'array' ? [first, ...others.filter(({ kind }) => kind === first.kind)] : [first];
    const read = items.map(({ value }) => (typeof value === 'number' && isTextual(shape) ? String(value) : value));
    this.args.take(shape, shape.type === 'array' ? read : read[0]!, 'typed', ...items);
  }

  /** The rest of the sentence behind the last word that is meant. */
  private takeWeak(shape: ArgumentShape, isMeant: (word: TextWord) => boolean): void {
    const last = this.request.words.findLast((word) => isMeant(word) && !this.args.isClaimed(word.start));
    const span = last && restOfSentence(last.end, this.request);
    if (!span || this.args.overlaps(span)) return;
    const text = this.request.values.text.slice(span.start, span.end);
    this.args.take(shape, shape.type === 'array' ? listed(text) : text, 'weak', span);
  }
}

/** `reply-to` and `replyTo` are one name. */
function squeezed(name: string): string {
  return name.replaceAll(/[-_]/g, '').toLowerCase();
}
