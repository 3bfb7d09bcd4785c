import { ulid } from '../../src/shared/ulid.js';

const DIGITS = '0123456789abcdefghjkmnpqrstvwxyz';

describe('ulid', () => {
  it('begins with the time of its making, in ten digits', () => {
    const before = Date.now();
    const id = ulid();
    const ms = id
      .slice(0, 10)
      .split('')
      .reduce((sum, digit) => sum * 32 + DIGITS.indexOf(digit), 0);
    // those that are made within one millisecond have the time of the first
    expect(ms).toBeGreaterThanOrEqual(before - 1);
    expect(ms).toBeLessThanOrEqual(Date.now());
    expect(id).toMatch(/^[0-9a-hjkmnp-tv-z]{26}$/);
  });

  it('counts on where the last two digits are used up', () => {
    const ids = Array.from({ length: 50_000 }, () => ulid());
    expect(ids.toSorted()).toEqual(ids);
    expect(new Set(ids).size).toBe(ids.length);
    expect(new Set(ids.map((id) => id.slice(0, -2))).size).toBeGreaterThan(40);
  });
});
