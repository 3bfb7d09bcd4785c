import { Cron } from 'croner';
import { CarrelError } from '../shared/errors.js';

/** Recurring runs come at most this often. */
const MIN_INTERVAL_MS = 60_000;
const MAX_CRON_CHARS = 200;
const MAX_TIME_ZONE_CHARS = 64;

/** When a schedule comes due: five cron fields, or six with seconds first, in an IANA time zone. */
export interface CronTimes {
  readonly cron: string;
  readonly timeZone: string;
}

/**
 * The next time after a moment; undefined when there is none any more. A local time that does not exist, because the
 * clocks go forward, is taken at the first moment that does; one that comes twice is taken once. Expressions that recur
 * within the day (`*`, steps, lists) go on in real time instead.
 *
 * @throws CarrelError `invalid_schedule`
 */
export function nextTime({ cron, timeZone }: CronTimes, afterMs: number): number | undefined {
  return parse(cron, timeZone).nextRun(new Date(afterMs))?.getTime();
}

/** @throws CarrelError `invalid_schedule` naming the field and what is wrong with it */
export function checkTimes({ cron, timeZone }: CronTimes, nowMs: number): void {
  const times = parse(cron, timeZone).nextRuns(3, new Date(nowMs));
  if (times.length === 0) throw invalid('cron names a time that never comes');
  // two times within one minute follow each other among any three
  const gaps = times.slice(1).map((time, i) => time.getTime() - times[i]!.getTime());
  if (gaps.some((gap) => gap < MIN_INTERVAL_MS)) {
    throw invalid('cron comes more than once a minute; give the seconds as one number, or leave them out');
  }
}

function parse(cron: unknown, timeZone: unknown): Cron {
  if (typeof timeZone !== 'string' || !isTimeZone(timeZone)) {
    throw invalid('timeZone must be the IANA name of a time zone, like "Europe/Berlin" or "UTC"');
  }
  const isCron = typeof cron === 'string' && cron.length <= MAX_CRON_CHARS && [5, 6].includes(fieldsOf(cron).length);
  if (!isCron) {
    throw invalid(
      'cron must have five fields (minute, hour, day of month, month, day of week), or six with seconds first',
    );
  }
  try {
    return new Cron(fieldsOf(cron).join(' '), { timezone: timeZone, paused: true, mode: '5-or-6-parts' });
  } catch (error) {
    throw invalid(`cron can't be read: ${(error as Error).message}`, error);
  }
}

function fieldsOf(cron: string): string[] {
  return cron.trim().split(/\s+/);
}

function isTimeZone(name: string): boolean {
  if (name.length > MAX_TIME_ZONE_CHARS || !/^[A-Za-z]/.test(name)) return false;
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

function invalid(message: string, cause?: unknown): CarrelError {
  return new CarrelError('invalid_schedule', message, cause === undefined ? {} : { cause });
}
