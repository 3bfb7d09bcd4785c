import type { JsonValue } from '../../../shared/json.js';
import type { ArgumentShape } from './argument-shape.js';
import type { RequestValue, ValueKind } from './request-values.js';

/** How an argument was found: `weak` is a part of a sentence that stands where the value would. */
export type ArgumentSource = 'given' | 'named' | 'typed' | 'weak' | 'default';

interface FoundArgument {
  readonly value: JsonValue;
  readonly source: ArgumentSource;
}

/** A part of the text. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** What was found of one tool's arguments in one request, and which parts of the text they are: none is taken twice. */
export class FoundArguments {
  readonly found = new Map<string, FoundArgument>();
  private readonly labels = new Set<number>();
  private readonly claimed: (Span & { readonly source: ArgumentSource })[] = [];

  constructor(
    private readonly shapes: readonly ArgumentShape[],
    private readonly values: readonly RequestValue[],
  ) {}

  take({ name }: ArgumentShape, value: JsonValue, source: ArgumentSource, ...spans: readonly Span[]): void {
    this.found.set(name, { value, source });
    this.claimed.push(...spans.map(({ start, end }) => ({ start, end, source })));
  }

  /** The word there says which argument a value is. */
  label(place: number): void {
    this.labels.add(place);
  }

  /** Arguments that are not found yet. */
  open(isMeant: (shape: ArgumentShape) => boolean): ArgumentShape[] {
    return this.shapes.filter((shape) => !this.found.has(shape.name) && isMeant(shape));
  }

  /** Values of these kinds, or of all, that no argument has taken yet. */
  free(...kinds: readonly ValueKind[]): RequestValue[] {
    return this.values.filter((value) => (kinds.length === 0 || kinds.includes(value.kind)) && !this.overlaps(value));
  }

  /** Whether an argument has some of it. */
  overlaps({ start, end }: Span): boolean {
    return this.claimed.some((span) => start < span.end && end > span.start);
  }

  isClaimed(place: number): boolean {
    return this.overlaps({ start: place, end: place + 1 });
  }

  /** Whether what stands there was taken for an argument only because it stands there. */
  isWeak(place: number): boolean {
    return this.claimed.some(({ start, end, source }) => source === 'weak' && place >= start && place < end);
  }

  isLabel(place: number): boolean {
    return this.labels.has(place);
  }

  isRequired(name: string): boolean {
    return this.shapes.some((shape) => shape.name === name && shape.isRequired);
  }
}
