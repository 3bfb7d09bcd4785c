import { withoutDates } from './dates.js';
import type { Language } from './language.js';

/** A number as it stands in a text, with what it is a number of. */
export interface Figure {
  /** As it stands there, with its unit: `€ 1.2 million`. */
  readonly text: string;
  readonly value: number;
  /** `%`, `EUR`, `days`, …; for what is merely counted, the word that follows; empty when there is none. */
  readonly unit: string;
  readonly kind: 'money' | 'percent' | 'measure' | 'count';
}

/** Where a figure is found, so that a reader can look it up. */
export interface PlacedFigure extends Figure {
  readonly start: number;
  readonly end: number;
}

const SCALES: Readonly<Record<string, number>> = {
  k: 1e3,
  thousand: 1e3,
  tausend: 1e3,
  m: 1e6,
  mn: 1e6,
  mio: 1e6,
  million: 1e6,
  millions: 1e6,
  millionen: 1e6,
  bn: 1e9,
  billion: 1e9,
  billions: 1e9,
  milliarden: 1e9,
};
const CURRENCIES: Readonly<Record<string, string>> = {
  $: 'USD',
  usd: 'USD',
  dollars: 'USD',
  '€': 'EUR',
  eur: 'EUR',
  euro: 'EUR',
  euros: 'EUR',
  '£': 'GBP',
  gbp: 'GBP',
  pounds: 'GBP',
  '¥': 'JPY',
  yen: 'JPY',
  chf: 'CHF',
};
const MEASURES: Readonly<Record<string, string>> = {
  ms: 'ms',
  milliseconds: 'ms',
  s: 's',
  second: 's',
  seconds: 's',
  sekunden: 's',
  min: 'min',
  minute: 'min',
  minutes: 'min',
  minuten: 'min',
  h: 'h',
  hour: 'h',
  hours: 'h',
  stunden: 'h',
  day: 'days',
  days: 'days',
  tage: 'days',
  week: 'weeks',
  weeks: 'weeks',
  month: 'months',
  months: 'months',
  year: 'years',
  years: 'years',
  jahre: 'years',
  m: 'm',
  metre: 'm',
  metres: 'm',
  meter: 'm',
  meters: 'm',
  km: 'km',
  miles: 'miles',
  mm: 'mm',
  cm: 'cm',
  kg: 'kg',
  g: 'g',
  t: 't',
  tonnes: 't',
  b: 'B',
  byte: 'B',
  bytes: 'B',
  kb: 'kB',
  kib: 'KiB',
  mb: 'MB',
  mib: 'MiB',
  gb: 'GB',
  gib: 'GiB',
  tb: 'TB',
  characters: 'characters',
};
const PERCENT = new Set(['%', 'percent', 'per cent', 'prozent']);

/** Not inside of a word, a version, a path or a date: those are no figures. */
const NUMBER =
  /(?<![\p{L}\p{N}_./:#-])([$€£¥]|\b(?:USD|EUR|GBP|CHF)\b)?\s?([-−+]?\d{1,3}(?:[.,' ]\d{3})+(?:[.,]\d+)?|[-−+]?\d+(?:[.,]\d+)?)(?![\p{N}_/:]|[.,]\d|\.\p{L}|-\d)(?:\s?(%|[$€£¥])|[\s-]([\p{L}]+)(?:\s([\p{L}]+))?|(\p{L}{1,3})\b)?/gu;

/** Languages that write 1.234,5. */
const COMMA_DECIMALS = new Set(['de', 'fr', 'es', 'it', 'pt', 'nl', 'da', 'sv', 'nb', 'fi', 'pl', 'cs', 'ru', 'tr']);

/** A name with a number is no figure: RFC 9457, Status 404, OpenAPI 3.1. */
const NAMED = /\p{Lu}[\p{L}.]*[\s-]$/u;

/**
 * All figures of one sentence, or of a row of a table, where names stand before figures. Dates, numbers of lists and
 * numbers that are part of a name are none.
 */
export function figuresIn(sentence: string, language: Language, isRow = false): PlacedFigure[] {
  const figures: PlacedFigure[] = [];
  for (const match of withoutDates(sentence).matchAll(NUMBER)) {
    const figure = figureOf(match, language);
    if (!figure) continue;
    const isNamed = !isRow && figure.kind === 'count' && NAMED.test(sentence.slice(0, figure.start));
    const isListed = figure.unit === '' && /^\s?,\s\d+,|^\s?…/.test(sentence.slice(figure.end));
    if (!isNamed && !isListed) figures.push(figure);
  }
  return figures;
}

function figureOf(match: RegExpMatchArray, language: Language): PlacedFigure | undefined {
  const [whole, sign, digits = '', symbol, word, next, joined] = match;
  const value = valueOf(digits, COMMA_DECIMALS.has(language.tag));
  if (!Number.isFinite(value)) return undefined;
  const words = [symbol, word ?? joined, next].filter((part) => part !== undefined);
  const [first = '', second = ''] = words.map((part) => part.toLowerCase());
  const isScaled = first in SCALES && !(first === 'm' && !sign && !(second in CURRENCIES));
  const scale = isScaled ? (SCALES[first] ?? 1) : 1;
  const following = isScaled ? second : first;
  const named = language.stopWords.has(following) ? '' : following;
  const start = (match.index ?? 0) + whole.length - whole.trimStart().length;
  const end = (match.index ?? 0) + whole.length;
  const used = (sign ? 1 : 0) + (isScaled ? 1 : 0) + (sign === undefined && named !== '' ? 1 : 0);
  const text = whole
    .trim()
    .split(/\s+/)
    .slice(0, Math.max(used + 1, 1))
    .join(' ')
    .trim();
  return { value: value * scale, ...unitOf(sign, named), text, start, end };
}

function unitOf(sign: string | undefined, word: string): Pick<Figure, 'unit' | 'kind'> {
  const currency = CURRENCIES[sign?.toLowerCase() ?? ''] ?? CURRENCIES[word];
  if (currency) return { unit: currency, kind: 'money' };
  if (PERCENT.has(word)) return { unit: '%', kind: 'percent' };
  const measure = MEASURES[word];
  return measure ? { unit: measure, kind: 'measure' } : { unit: word, kind: 'count' };
}

function valueOf(digits: string, isCommaDecimal: boolean): number {
  const plain = digits.replace('−', '-').replace(/[' ]/g, '');
  const grouped = isCommaDecimal ? /\.(?=\d{3}\b)/g : /,(?=\d{3}\b)/g;
  return Number(plain.replace(grouped, '').replace(',', '.'));
}
