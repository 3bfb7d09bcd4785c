import type { JsonObject, JsonValue } from '../../../shared/json.js';
import { isFunctionWord } from './words.js';

type TextValueKind = 'code' | 'quoted' | 'url' | 'path' | 'glob' | 'rest';
export type ValueKind = TextValueKind | 'json' | 'number';

interface TextValue {
  readonly kind: TextValueKind;
  readonly value: string;
}

/** Something in a request that can be an argument. */
export type FoundValue =
  | TextValue
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'json'; readonly value: JsonObject | readonly JsonValue[] };

/** The same, with where it stands. */
export type RequestValue = FoundValue & { readonly start: number; readonly end: number };

/** `name: value` or `name = value`. The value is a text that is still to be read as what the argument is. */
export interface NamedValue {
  readonly name: string;
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

const MAX_VALUES = 100;
const MAX_JSON_TRIES = 10;

const QUOTED =
  /"([^"\n]{1,2000})"|“([^”\n]{1,2000})”|«([^»\n]{1,2000})»|(?<![\p{L}\p{N}])['‘]([^'’\n]{1,500})['’](?![\p{L}\p{N}])/gu;
const CODE = /```[a-z]*\n?([\s\S]{1,4000}?)```|`([^`\n]{1,2000})`/g;
const URL_TEXT = /\b(?:https?|wss?|ftp):\/\/[^\s<>"'`]{1,2000}|\bdata:[\w.+-]+\/[\w.+-]+[;,][^\s<>"'`]{1,2000}/gi;
const PATH_CHARS = String.raw`[\p{L}\p{N}._@+~$%-]`;
/** From the start of a path: `/`, `~/`, `./`, `../`, `C:\`, `\\server\`; or a relative one; or a file's name with its ending. */
const PATH = new RegExp(
  [
    String.raw`(?<![\p{L}\p{N}/\\:.~])(?:~|\.{1,2})?/(?:${PATH_CHARS}+/)*${PATH_CHARS}*`,
    String.raw`(?<![\p{L}\p{N}])[A-Za-z]:\\(?:[^\s\\/:*?"<>|]+\\?)*`,
    String.raw`(?<![\p{L}\p{N}\\])\\\\[^\s\\]+(?:\\[^\s\\]+)+`,
    String.raw`(?<![\p{L}\p{N}/\\:.~])${PATH_CHARS}+(?:/${PATH_CHARS}+)+/?`,
    String.raw`(?<![\p{L}\p{N}/\\:.~])${PATH_CHARS}+/(?=[\s,;:.!?]|$)`,
    String.raw`(?<![\p{L}\p{N}/\\:.~@])[\p{L}\p{N}_][\p{L}\p{N}_-]*(?:\.[\p{L}\p{N}_-]+)*\.[a-z][a-z0-9]{0,4}(?![\p{L}\p{N}/\\])`,
  ].join('|'),
  'gu',
);
const GLOB = /(?<!\S)[^\s"'`,;]*\*[^\s"'`,;]*/g;
const NUMBER = /(?<![\p{L}\p{N}.,_-])[-+−]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?![\p{L}\p{N}_]|[.,:/-]\d)/gu;
const NAMED = /(?<![\p{L}\p{N}_-])([A-Za-z_][\w-]{0,63})\s{0,3}(=|:)\s{0,3}/gu;
const TRAILING = /[.,;:!?)\]}'"]+$/;

/** Everything in a text that can be an argument; what is inside another one is not taken again. */
export class RequestValues {
  readonly all: readonly RequestValue[];
  readonly named: readonly NamedValue[];
  /** The text with blanks in place of the values, so that places stay what they are. */
  readonly words: string;
  /** The same with something like a word in their places, so that sentences stay whole. */
  readonly sentences: string;

  constructor(readonly text: string) {
    const values: RequestValue[] = [];
    let rest = text;
    const take = (value: RequestValue) => {
      if (values.length >= MAX_VALUES) return;
      values.push(value);
      rest = rest.slice(0, value.start) + ' '.repeat(value.end - value.start) + rest.slice(value.end);
    };
    for (const value of jsonIn(rest)) take(value);
    for (const value of matches(rest, CODE, 'code')) take(value);
    for (const value of matches(rest, QUOTED, 'quoted')) take(value);
    for (const value of matches(rest, URL_TEXT, 'url')) take(value);
    for (const value of matches(rest, GLOB, 'glob')) if (/[^*]/.test(value.value)) take(value);
    for (const value of matches(rest, PATH, 'path')) if (isPath(value.value)) take(value);
    const withoutNumbers = rest;
    for (const { 0: number, index: start } of rest.matchAll(NUMBER))
      take({ kind: 'number', value: numberOf(number), start, end: start + number.length });
    const payload = restIn(withoutNumbers, text);
    this.all = (payload ? [...values, payload] : values).toSorted((a, b) => a.start - b.start);
    this.named = namedIn(text, this.all);
    this.words = rest;
    this.sentences = values.reduce(
      (sentences, { start, end }) => sentences.slice(0, start) + 'x'.repeat(end - start) + sentences.slice(end),
      text,
    );
  }
}

/** What a pattern finds: its group, if it has one, or all of it. */
function* matches(text: string, pattern: RegExp, kind: TextValueKind): Iterable<RequestValue & TextValue> {
  for (const match of text.matchAll(pattern)) {
    const { 0: whole, index: start } = match;
    const inner = match.slice(1).find((group) => group !== undefined);
    const value = inner?.trim() ?? withoutTrailing(whole);
    if (value !== '') yield { kind, value, start, end: start + (inner === undefined ? value : whole).length };
  }
}

/** `1,200` and `−3`, too. */
export function numberOf(text: string): number {
  return Number(text.replaceAll(',', '').replace('−', '-'));
}

/** A full stop after an address ends the sentence, not the address. */
function withoutTrailing(text: string): string {
  return text.replace(TRAILING, '');
}

/** "and/or" and "he/she" are no paths, "src/main" is taken for one. */
function isPath(text: string): boolean {
  const isWords = /^[\p{L}]+(?:\/\p{L}+)+$/u.test(text) && text.split('/').every(isFunctionWord);
  return !isWords && (/\p{L}/u.test(text) || ['/', '~/', '../', './'].includes(text));
}

/** JSON objects and lists that stand in the text. */
function* jsonIn(text: string): Iterable<RequestValue & { kind: 'json' }> {
  let tries = 0;
  for (let start = text.search(/[{[]/); start >= 0 && tries < MAX_JSON_TRIES; tries++) {
    const end = endOfJson(text, start);
    const value = end > 0 ? parsed(text.slice(start, end)) : undefined;
    const isQuoted = /["'`“]/.test(text[start - 1] ?? '') && /["'`”]/.test(text[end] ?? '');
    if (value !== undefined && !isQuoted) yield { kind: 'json', value, start, end };
    const from = value === undefined ? start + 1 : end;
    const next = text.slice(from).search(/[{[]/);
    start = next < 0 ? -1 : from + next;
  }
}

/** Behind the bracket that closes the one at `start`; 0 when there is none. */
function endOfJson(text: string, start: number): number {
  let depth = 0;
  let isText = false;
  for (let at = start; at < text.length; at++) {
    const char = text[at]!;
    if (isText) {
      if (char === '\\') at++;
      else if (char === '"') isText = false;
    } else if (char === '"') isText = true;
    else if (char === '{' || char === '[') depth++;
    else if ((char === '}' || char === ']') && --depth === 0) return at + 1;
  }
  return 0;
}

function parsed(text: string): JsonObject | readonly JsonValue[] | undefined {
  try {
    return JSON.parse(text) as JsonObject | readonly JsonValue[];
  } catch {
    return undefined;
  }
}

/** What follows a colon, to the end: "Echo this: …". */
function restIn(words: string, text: string): RequestValue | undefined {
  const at = /[\p{L}\p{N}]:\s+/u.exec(words);
  if (!at) return undefined;
  const start = at.index + at[0].length;
  const value = text.slice(start).trim();
  return value === '' ? undefined : { kind: 'rest', value, start, end: text.length };
}

function namedIn(text: string, values: readonly RequestValue[]): NamedValue[] {
  const named: NamedValue[] = [];
  for (const match of text.matchAll(NAMED)) {
    const [whole, name, sign] = match as unknown as [string, string, string];
    if (named.length >= MAX_VALUES || isInside(match.index, values)) continue;
    const from = match.index + whole.length;
    const value = values.find(({ start, kind }) => start === from && kind !== 'rest');
    const pattern = sign === '=' ? /^[^\s,;]+/ : /^(?:(?![.!?](?:\s|$))[^,;\n])+/;
    const found = value ? text.slice(value.start, value.end) : (pattern.exec(text.slice(from))?.[0] ?? '');
    const bare = value && typeof value.value === 'string' ? value.value : withoutTrailing(found).trim();
    if (bare !== '') named.push({ name, text: bare, start: match.index, end: from + found.length });
  }
  return named;
}

function isInside(place: number, values: readonly RequestValue[]): boolean {
  return values.some(({ start, end, kind }) => kind !== 'rest' && place >= start && place < end);
}
