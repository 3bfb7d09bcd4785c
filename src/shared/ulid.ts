import { randomFillSync } from 'node:crypto';
import { systemClock } from './clock.js';

/** Crockford's base 32, in lower case. */
const DIGITS = '0123456789abcdefghjkmnpqrstvwxyz';
const TIME_DIGITS = 10;
const RANDOM_DIGITS = 16;
/** The last two digits of an id, which count: all pairs there are. */
const PAIRS = Array.from({ length: 1_024 }, (_, n) => `${DIGITS[n >> 5]}${DIGITS[n & 31]}`);

/** The digits before the last two, each from 0 to 31. */
const digits = new Uint8Array(TIME_DIGITS + RANDOM_DIGITS - 2);
/** Random bytes for 256 milliseconds: to ask for them costs more than to get them. */
const random = new Uint8Array(256 * RANDOM_DIGITS);
let usedRandom = random.length;
/** The text of `digits`. */
let head = '';
/** The last two digits. */
let pair = 0;
let timeMs = 0;

/**
 * A ULID (48 bits of time, 80 random ones) in lower case. It sorts behind every one that this process has made before:
 * within a millisecond, or while the clock stands behind, the last one is counted up.
 *
 * Written here because a run needs ten of them, each of which would otherwise cost the encoding of 26 digits; here most cost a
 * look into a table.
 */
export function ulid(): string {
  const nowMs = systemClock.now();
  if (nowMs > timeMs) begin(nowMs);
  else if (++pair === PAIRS.length) carry();
  return head + PAIRS[pair];
}

function begin(nowMs: number): void {
  timeMs = nowMs;
  let rest = nowMs;
  for (let at = TIME_DIGITS - 1; at >= 0; at--) {
    digits[at] = rest % 32;
    rest = Math.floor(rest / 32);
  }
  for (let at = TIME_DIGITS; at < digits.length; at++) digits[at] = randomDigit();
  pair = (randomDigit() << 5) | randomDigit();
  head = textOf(digits);
}

function randomDigit(): number {
  if (usedRandom === random.length) {
    randomFillSync(random);
    usedRandom = 0;
  }
  return random[usedRandom++]! & 31;
}

function carry(): void {
  pair = 0;
  let at = digits.length - 1;
  while (digits[at] === 31) digits[at--] = 0;
  digits[at]! += 1;
  head = textOf(digits);
}

function textOf(values: Uint8Array): string {
  let text = '';
  for (const value of values) text += DIGITS[value];
  return text;
}
