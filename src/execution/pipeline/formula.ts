import { CarrelError } from '../../shared/errors.js';
import type { JsonValue } from '../../shared/json.js';
import { MAX_VALUE_CHARS } from './pipeline-bounds.js';

/** What is known when a step begins. Deeply frozen. */
export interface Known {
  readonly input: unknown;
  /** Results by step; null for one that did not end well. */
  readonly steps: Readonly<Record<string, JsonValue>>;
  /** Inside of `map`. */
  readonly item?: JsonValue;
  /** Inside of `map` and `loop`, from 0. */
  readonly index?: number;
  /** Inside of `loop`: the result of the round before, null in the first. */
  readonly last?: JsonValue;
}

/** A value that follows from what is known, and from nothing else: evaluated again it is the same. */
export interface Formula {
  /** How it is written, for people. */
  readonly text: string;
  /** Names what the value was made of, for people; empty when there is nothing to say. */
  explain(known: Known): string;
  /** @throws CarrelError `pipeline_failed`; whatever a function of a pipeline's class throws */
  evaluate(known: Known): unknown;
}

const SHOWN_CHARS = 160;

/** A function of a pipeline's class, which must be pure. */
export class FunctionFormula implements Formula {
  readonly text: string;

  constructor(
    private readonly compute: (known: Known) => unknown,
    source: (...args: never[]) => unknown,
  ) {
    this.text = cutLine(String(source));
  }

  explain(): string {
    return '';
  }

  evaluate(known: Known): unknown {
    const value = this.compute(known);
    if (typeof value === 'object' && value !== null && 'then' in value) {
      if (value instanceof Promise) value.catch(() => undefined);
      throw new CarrelError('pipeline_failed', 'it gives a promise; a function of a pipeline must not be async');
    }
    return value;
  }
}

/**
 * What a formula gives.
 *
 * @throws CarrelError `pipeline_failed`, also when it gives nothing, or more than a step can be given
 */
export function valueOf(formula: Formula, known: Known): JsonValue {
  const value = formula.evaluate(known);
  if (value === undefined)
    throw new CarrelError('pipeline_failed', 'it gives nothing; null says that there is nothing');
  if (charsOf(value, MAX_VALUE_CHARS) > MAX_VALUE_CHARS) {
    throw new CarrelError('pipeline_failed', `it gives more than ${MAX_VALUE_CHARS} characters`);
  }
  return value as JsonValue;
}

/** About the length of a value as JSON. Stops once it is past `max`: a value may repeat a part of itself very often. */
export function charsOf(value: unknown, max: number): number {
  if (typeof value === 'string') return value.length + 2;
  if (typeof value !== 'object' || value === null) return 5;
  let chars = 2;
  for (const [key, item] of Object.entries(value)) {
    if (chars > max) break;
    chars += (Array.isArray(value) ? 1 : key.length + 4) + charsOf(item, max - chars);
  }
  return chars;
}

/** One line, and not a long one. */
export function cutLine(text: string): string {
  const line = text.replace(/\s+/g, ' ');
  return line.length > SHOWN_CHARS ? `${line.slice(0, SHOWN_CHARS)}…` : line;
}
