import type { JournalledEvent, RunEventType } from '../events/run-event.js';
import { CarrelError } from '../shared/errors.js';
import type { RunId, UserId } from '../shared/ids.js';

/**
 * What one row of `events` holds: envelopes of one run that follow each other in their user's sequence, a line each. JSON
 * text has no line breaks of its own. `seq` is the number of the last one.
 */
export interface EventRow {
  seq: number;
  json: string;
}

/** What an envelope says of itself, read from its beginning, where only our own fields are. */
const ENVELOPE = /^\{"v":1,"id":"\w+","type":"(\w+)","seq":(\d+),"runSeq":(\d+),"runId":"([^"\\]+)"/;

// inside a JSON text's strings every quote is escaped: the first of each in an envelope is the envelope's own
const AT = ',"at":"';
const DATA = ',"data":';

export function linesOf({ json }: EventRow): string[] {
  return json.split('\n');
}

/** @throws CarrelError `internal` when the row does not hold the envelopes of this user's events up to `seq` */
export function eventsFromRow(userId: UserId, row: EventRow): JournalledEvent[] {
  const lines = linesOf(row);
  return lines.map((json, index) => eventFromLine(userId, row.seq - (lines.length - 1 - index), json));
}

/** The number that the last event of a row has in its run. */
export function lastRunSeqOf(row: EventRow): number {
  return Number(ENVELOPE.exec(linesOf(row).at(-1)!)?.[3] ?? Number.NaN);
}

/** When an event arose, in milliseconds since the Unix epoch. */
export function atMsOf(line: string): number {
  const from = line.indexOf(AT) + AT.length;
  return Date.parse(line.slice(from, line.indexOf('"', from)));
}

/** The same event, saying nothing. */
export function emptied(line: string): string {
  return `${line.slice(0, line.indexOf(DATA) + DATA.length)}{}}`;
}

function eventFromLine(userId: UserId, expected: number, json: string): JournalledEvent {
  const [, type, seq, , runId] = ENVELOPE.exec(json) ?? [];
  if (Number(seq) !== expected) throw new CarrelError('internal', `The event ${expected} can't be read`);
  return { userId, runId: runId as RunId, type: type as RunEventType, seq: expected, json };
}
