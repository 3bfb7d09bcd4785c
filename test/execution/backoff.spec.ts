import { backoffMs } from '../../src/execution/backoff.js';

describe('the delay before a retry', () => {
  it('doubles with every attempt, up to a minute', () => {
    expect([1, 2, 3, 4].map((attempt) => backoffMs(2_000, attempt, 1))).toEqual([2_000, 4_000, 8_000, 16_000]);
    expect(backoffMs(2_000, 30, 1)).toBe(60_000);
  });

  it('is spread over its second half, so that runs that failed together come back apart', () => {
    expect(backoffMs(2_000, 1, 0)).toBe(1_000);
    expect(backoffMs(2_000, 1, 0.5)).toBe(1_500);
  });
});
