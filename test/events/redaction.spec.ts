import fc from 'fast-check';
import { bounded } from '../../src/events/event-bounds.js';
import { redact, REDACTED } from '../../src/events/redaction.js';
import { draftEvent } from '../../src/events/run-event.js';

describe('what an event mentions of other data', () => {
  it.each([
    'password',
    'apiKey',
    'API_KEY',
    'clientSecret',
    'accessToken',
    'credentials',
    'Authorization',
    'Set-Cookie',
  ])('hides the value under %s, at any depth', (key) => {
    expect(redact({ a: [{ [key]: 'hidden' }], b: 'shown' })).toEqual({ a: [{ [key]: REDACTED }], b: 'shown' });
  });

  it('cuts long strings and lists, and says how long they were', () => {
    expect(redact('x'.repeat(3_000))).toBe(`${'x'.repeat(2_000)}… [cut: 3000 characters]`);
    const list = redact(Array.from({ length: 80 }, (_, i) => i)) as unknown[];
    expect(list).toHaveLength(51);
    expect(list.at(-1)).toBe('[cut: 80 items]');
  });

  it('makes plain JSON of anything', () => {
    fc.assert(
      fc.property(
        fc.anything({ withDate: true, withMap: true, withBigInt: true }),
        (value) => void JSON.stringify(redact(value)),
      ),
    );
  });

  it('survives values that throw when they are looked at', () => {
    const values = [
      { toJSON: () => fail() },
      {
        get field() {
          return fail();
        },
      },
      [new Proxy({}, { ownKeys: () => fail() })],
    ];
    for (const value of values) expect(redact(value)).toBe('[unreadable]');
  });

  it('survives what refers to itself', () => {
    const self: Record<string, unknown> = {};
    self.self = self;
    expect(JSON.stringify(redact(self))).toContain('cut: nested too deep');
  });
});

function fail(): never {
  throw new Error('not for you');
}

describe('the size of an event', () => {
  const maxBytes = 1_024;
  const draft = (text: string) =>
    draftEvent('agent_completed', { status: 'completed', result: { text }, durationMs: 1 }, { attempt: 1, atMs: 0 });

  it('never passes the limit, whatever the text is made of, and a cut event says so', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 5_000 }), (text) => {
        const event = bounded(draft(text), maxBytes);
        const whole = Buffer.byteLength(draft(text).data) <= maxBytes;
        expect(Buffer.byteLength(event.data)).toBeLessThanOrEqual(maxBytes);
        expect(JSON.parse(event.data)).toMatchObject({ status: 'completed', durationMs: 1 });
        expect('cut' in JSON.parse(event.data)).toBe(!whole);
      }),
    );
  });
});
