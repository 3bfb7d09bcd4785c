import type { JsonValue } from '../../../shared/json.js';
import type { ArgumentShape } from './argument-shape.js';
import { numberOf, type FoundValue } from './request-values.js';

const LIST = /\s*(?:,|;|\s(?:and|or)\s|&)\s*/i;

/** A text as the argument's type, or undefined when it is none. */
export function readAs(shape: ArgumentShape, text: string): JsonValue | undefined {
  switch (shape.type) {
    case 'number':
    case 'integer': {
      const match = /^[-+−]?\d[\d,]*(?:\.\d+)?/.exec(text);
      const number = match ? numberOf(match[0]) : Number.NaN;
      return Number.isFinite(number) && (shape.type === 'number' || Number.isInteger(number)) ? number : undefined;
    }
    case 'boolean':
      return /^(?:true|yes|on)\b/i.test(text) ? true : /^(?:false|no|off)\b/i.test(text) ? false : undefined;
    case 'array':
      return readList(shape, text);
    case 'object':
      return undefined;
    case 'string':
    case 'any':
      return shape.values.length > 0 ? valueIn(shape.values, text) : text;
  }
}

/** The parts of a list that is written in words: `a, b and c`. */
export function listed(text: string): string[] {
  return text.split(LIST).filter((part) => part !== '');
}

/** The first of the schema's values that stands in the text as words of its own. */
export function valueIn(values: readonly string[], text: string): string | undefined {
  let first: { value: string; at: number } | undefined;
  for (const value of values) {
    const at = placeOf(value, text);
    if (at >= 0 && (!first || at < first.at)) first = { value, at };
  }
  return first?.value;
}

/** Where a value stands in a text, written as it is or in words (`resourceLink`: "resource link"); -1 when it does not. */
export function placeOf(value: string, text: string): number {
  const spaced = value.replaceAll(/(?<=\p{Ll})(?=\p{Lu})|[-_]/gu, ' ');
  for (const form of new Set([value, spaced])) {
    const escaped = form.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
    const found = new RegExp(String.raw`(?<![\p{L}\p{N}])${escaped}(?![\p{L}\p{N}])`, 'iu').exec(text);
    if (found) return found.index;
  }
  return -1;
}

function readList(shape: ArgumentShape, text: string): JsonValue | undefined {
  if (!shape.items || shape.items.type === 'object' || shape.items.type === 'array') return undefined;
  const items = listed(text).map((part) => readAs(shape.items!, part));
  return items.length > 0 && items.every((item) => item !== undefined) ? items : undefined;
}

/** Whether the argument is a text, or a list of texts. */
export function isTextual({ type, items }: ArgumentShape): boolean {
  return isText(type) || (type === 'array' && items !== undefined && isText(items.type));
}

function isText(type: ArgumentShape['type']): boolean {
  return type === 'string' || type === 'any';
}

/** Whether a value of the text can be the argument, or one of its items. */
export function fits(shape: ArgumentShape, found: FoundValue): boolean {
  const { kind, value } = found;
  switch (shape.type) {
    case 'array':
      return shape.items !== undefined && shape.items.type !== 'array' && fits(shape.items, found);
    case 'number':
      return kind === 'number';
    case 'integer':
      return kind === 'number' && Number.isInteger(value);
    case 'string':
    case 'any':
      return (
        kind !== 'json' && (kind !== 'number' || shape.kind === 'text') && (kind === 'url' || shape.kind !== 'url')
      );
    case 'boolean':
    case 'object':
      return false;
  }
}
