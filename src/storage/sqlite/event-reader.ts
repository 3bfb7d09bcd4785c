import type { EventPage, OpenToolCall } from '../../events/event-journal.port.js';
import type { JournalledEvent, RunEvent } from '../../events/run-event.js';
import type { CallId, RunId, UserId } from '../../shared/ids.js';
import { eventsFromRow, linesOf, type EventRow } from '../event-lines.js';
import { parsed } from '../run-row.js';
import type { SqliteDatabase } from './sqlite-database.js';

const EVENT_QUERIES = {
  ofUser: `
    SELECT seq, json FROM events
    WHERE user_key = (SELECT key FROM users WHERE id = ?) AND seq > ? ORDER BY seq LIMIT ?`,
  keysOfRun: 'SELECT user_key, key FROM runs WHERE user_key = (SELECT key FROM users WHERE id = ?) AND id = ?',
  ofRun: `
    SELECT seq, json FROM events INDEXED BY events_by_run
    WHERE user_key = ? AND run_key = ? AND seq > ? ORDER BY seq LIMIT ?`,
  toolsOfRun: `
    SELECT seq, json FROM events INDEXED BY events_by_run
    WHERE user_key = ? AND run_key = ? AND instr(json, '"type":"tool_') > 0 ORDER BY seq`,
  bounds: `
    SELECT pruned_seq, (SELECT seq FROM events WHERE user_key = users.key ORDER BY seq DESC LIMIT 1) AS last_seq
    FROM users WHERE id = ?1`,
} as const;

/** What can be asked about events. */
export class EventReader {
  private readonly statements;

  constructor(database: SqliteDatabase) {
    this.statements = {
      ofUser: database.prepare(EVENT_QUERIES.ofUser),
      keysOfRun: database.prepare(EVENT_QUERIES.keysOfRun),
      ofRun: database.prepare(EVENT_QUERIES.ofRun),
      toolsOfRun: database.prepare(EVENT_QUERIES.toolsOfRun),
      bounds: database.prepare(EVENT_QUERIES.bounds),
    };
  }

  read(userId: UserId, { after, limit, runId }: { after: number; limit: number; runId?: RunId }): EventPage {
    const rows =
      runId === undefined
        ? this.statements.ofUser.iterate(userId, after, limit)
        : this.ofRun(userId, runId, (userKey, runKey) => this.statements.ofRun.iterate(userKey, runKey, after, limit));
    const items: JournalledEvent[] = [];
    for (const row of rows as Iterable<unknown> as Iterable<EventRow>) {
      for (const event of eventsFromRow(userId, row)) {
        if (event.seq > after && items.length < limit) items.push(event);
      }
      if (items.length === limit) break;
    }
    return { items, next: items.at(-1)?.seq ?? after };
  }

  bounds(userId: UserId): { pruned: number; last: number } {
    const row = this.statements.bounds.get(userId);
    if (!row) return { pruned: 0, last: 0 };
    const pruned = Number(row.pruned_seq);
    return { pruned, last: Number(row.last_seq ?? pruned) };
  }

  openToolCalls(userId: UserId, runId: RunId): OpenToolCall[] {
    const open = new Map<CallId, OpenToolCall>();
    const rows = this.ofRun(userId, runId, (userKey, runKey) => this.statements.toolsOfRun.iterate(userKey, runKey));
    for (const row of rows as Iterable<unknown> as Iterable<EventRow>) {
      for (const line of linesOf(row)) {
        const { type, data } = parsed(line, runId) as RunEvent;
        if (type === 'tool_executing') open.set(data.callId, { callId: data.callId, tool: data.tool });
        if (type === 'tool_completed') open.delete(data.callId);
      }
    }
    return [...open.values()];
  }

  /** Nothing for a run that is not there, or is another user's. */
  private ofRun<Row>(
    userId: UserId,
    runId: RunId,
    ask: (userKey: number, runKey: number) => Iterable<Row>,
  ): Iterable<Row> {
    const keys = this.statements.keysOfRun.get(userId, runId);
    return keys ? ask(Number(keys.user_key), Number(keys.key)) : [];
  }
}
