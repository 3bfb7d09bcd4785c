import { checkTimes, nextTime } from '../../src/execution/schedule-times.js';

const at = (text: string) => new Date(text).getTime();

/** The next few times, as texts. */
function times(cron: string, timeZone: string, from: string, count = 3): string[] {
  const found: string[] = [];
  for (let after = at(from); found.length < count;) {
    const next = nextTime({ cron, timeZone }, after);
    if (next === undefined) break;
    found.push(new Date(next).toISOString().slice(0, 16));
    after = next;
  }
  return found;
}

function refusal(cron: unknown, timeZone: unknown = 'UTC'): string | undefined {
  try {
    checkTimes({ cron, timeZone } as never, at('2026-01-15T12:00:00Z'));
    return undefined;
  } catch (error) {
    expect(error).toMatchObject({ code: 'invalid_schedule' });
    return (error as Error).message;
  }
}

describe('the times of a schedule', () => {
  it('are those of its time zone: the same hour of the wall is another moment in Berlin than in Kolkata', () => {
    expect(times('30 9 * * *', 'Europe/Berlin', '2026-01-15T12:00:00Z', 1)).toEqual(['2026-01-16T08:30']);
    expect(times('30 9 * * *', 'Asia/Kolkata', '2026-01-15T12:00:00Z', 1)).toEqual(['2026-01-16T04:00']);
    expect(times('30 9 * * *', 'America/New_York', '2026-01-15T12:00:00Z', 1)).toEqual(['2026-01-15T14:30']);
  });

  it('keep to the hour of the wall when the clocks change', () => {
    expect(times('0 9 * * *', 'Europe/Berlin', '2026-03-28T00:00:00Z')).toEqual([
      '2026-03-28T08:00',
      '2026-03-29T07:00',
      '2026-03-30T07:00',
    ]);
  });

  it('are neither lost in the hour that does not exist nor doubled in the one that comes twice', () => {
    expect(times('30 2 * * *', 'Europe/Berlin', '2026-03-28T12:00:00Z')).toEqual([
      '2026-03-29T01:00', // 3:00, the first moment after the gap
      '2026-03-30T00:30',
      '2026-03-31T00:30',
    ]);
    expect(times('30 2 * * *', 'Europe/Berlin', '2026-10-24T12:00:00Z')).toEqual([
      '2026-10-25T00:30',
      '2026-10-26T01:30',
      '2026-10-27T01:30',
    ]);
  });

  it('go on through the doubled hour when they recur within the day', () => {
    expect(times('*/30 * * * *', 'Europe/Berlin', '2026-10-25T00:00:00Z', 4)).toEqual([
      '2026-10-25T00:30',
      '2026-10-25T01:00',
      '2026-10-25T01:30',
      '2026-10-25T02:00',
    ]);
  });

  it('come after the moment that is asked for, not at it', () => {
    expect(times('0 12 * * *', 'UTC', '2026-01-15T12:00:00Z', 1)).toEqual(['2026-01-16T12:00']);
    expect(times('0 12 * * *', 'UTC', '2026-01-15T11:59:59.999Z', 1)).toEqual(['2026-01-15T12:00']);
  });

  it.each(['* * * * *', '0 */5 * * * *', '30 0 9 * * MON-FRI', '0 0 29 2 *', '0 9 L * *', '  0   9 * * 1 '])(
    'may be "%s"',
    (cron) => expect(refusal(cron)).toBeUndefined(),
  );

  it.each<[unknown, RegExp]>([
    ['* * * * * *', /more than once a minute/],
    ['*/30 * * * * *', /more than once a minute/],
    ['0,30 0 12 1 1 *', /more than once a minute/],
    ['0 0 30 2 *', /never comes/],
    ['99 0 * * *', /minute: 99/],
    ['a b c d e', /can't be read/],
    ['', /five fields/],
    ['@daily', /five fields/],
    ['2030-01-01T00:00:00', /five fields/],
    ['0 0 0 1 1 * 2031', /five fields/],
    [`0 0 ${'1,'.repeat(100)}1 * *`, /five fields/],
    [5, /five fields/],
    [undefined, /five fields/],
  ])('can not be %j', (cron, message) => expect(refusal(cron)).toMatch(message));

  it.each(['Mars/Base', '+02:00', '', 'Europe/Berlin;', 'x'.repeat(65), 7, null])(
    'can not be told in the time zone %j',
    (timeZone) => expect(refusal('0 9 * * *', timeZone)).toMatch(/timeZone must be the IANA name/),
  );
});
