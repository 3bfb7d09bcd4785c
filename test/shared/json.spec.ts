import { whyNotPlainJson } from '../../src/shared/json.js';

const bounds = { maxBytes: 200, maxDepth: 3 };

describe('plain data from outside', () => {
  it.each([[null], [1], ['text'], [true], [[1, [2, [3]]]], [{ a: { b: { c: 1 } } }], [{ gone: undefined }]])(
    'accepts %j',
    (value) => {
      expect(whyNotPlainJson(value, 'input', bounds)).toBeUndefined();
    },
  );

  it.each([
    [JSON.parse('{"a":{"__proto__":{"admin":true}}}'), 'input.a has the reserved key "__proto__"'],
    [{ constructor: 1 }, 'input has the reserved key "constructor"'],
    [{ a: Number.NaN }, 'input.a is not a finite number'],
    [{ a: [1, () => 1] }, 'input.a[1] is a function'],
    [{ a: { b: { c: { d: 1 } } } }, 'input.a.b.c is nested deeper than 3 levels'],
    [{ a: new Date(0) }, 'input.a is not a plain object'],
    [undefined, 'input is undefined'],
    [{ a: 10n }, 'input.a is a bigint'],
    [{ ['k'.repeat(5_000)]: [1, undefined] }, `input.${'k'.repeat(194)}… is undefined`],
    ['x'.repeat(300), 'input has 302 bytes; at most 200 are allowed'],
  ])('refuses %p and names the place', (value, reason) => {
    expect(whyNotPlainJson(value, 'input', bounds)).toBe(reason);
  });
});
