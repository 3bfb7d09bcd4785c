import { LiveFeed } from '../../src/client/live-feed.js';
import type { RunEvent } from '../../src/events/run-event.js';

const eventAt = (seq: number) => ({ seq }) as RunEvent;

function feedAt(seq: number): { feed: LiveFeed; seen: number[] } {
  const feed = new LiveFeed();
  const seen: number[] = [];
  feed.listen({ event: (event) => seen.push(event.seq), gap: () => undefined, refused: () => undefined });
  feed.connected(seq);
  return { feed, seen };
}

describe('the feed of a client', () => {
  it('gives an event once, however often it comes', () => {
    const { feed, seen } = feedAt(3);
    expect([3, 4, 4, 5, 4].map((seq) => feed.take(eventAt(seq)))).toEqual([true, true, true, true, true]);
    expect(seen).toEqual([4, 5]);
  });

  it('takes no event before which others are missing, and stays where it was', () => {
    const { feed, seen } = feedAt(3);
    expect(feed.take(eventAt(5))).toBe(false);
    expect(feed.position).toBe(3);
    expect([4, 5].map((seq) => feed.take(eventAt(seq)))).toEqual([true, true]);
    expect(seen).toEqual([4, 5]);
  });

  it('goes on behind what the server has removed, and tells of it once', () => {
    const { feed, seen } = feedAt(3);
    const gaps: object[] = [];
    feed.listen({ event: () => undefined, gap: (gap) => gaps.push(gap), refused: () => undefined });
    feed.pass({ from: 1, to: 7 });
    feed.pass({ from: 1, to: 7 });
    feed.take(eventAt(8));
    expect(gaps).toEqual([{ from: 4, to: 7 }]);
    expect(seen).toEqual([8]);
  });
});
