import type { EventPage, OpenToolCall } from '../events/event-journal.port.js';
import type { RunEvent } from '../events/run-event.js';
import type { CallId, RunId, UserId } from '../shared/ids.js';
import { eventFromRow, RUN_SEQ_BITS } from './event-table.js';
import { parsed } from './run-row.js';
import type { SqliteDatabase } from './sqlite-database.js';

interface EventRow {
  seq: number;
  json: string;
}

const USER_KEY = '(SELECT key FROM users WHERE id = ?1)';
const RUN_KEY = `(SELECT key FROM runs WHERE user_key = ${USER_KEY} AND id = ?2)`;
const FIRST_OF_RUN = `(${RUN_KEY} << ${RUN_SEQ_BITS})`;
const LAST_OF_RUN = `((${RUN_KEY} + 1 << ${RUN_SEQ_BITS}) - 1)`;

export const EVENT_QUERIES = {
  ofUser: `SELECT seq, json FROM events WHERE user_key = ${USER_KEY} AND seq > ?2 ORDER BY seq LIMIT ?3`,
  // begins right behind event `?3` when that is one of the run's own, as it is on every page but the first
  ofRun: `
    SELECT seq, json FROM events
    WHERE user_key = ${USER_KEY} AND seq > ?3 AND key <= ${LAST_OF_RUN} AND key >= max(
      ${FIRST_OF_RUN},
      coalesce((SELECT key FROM events WHERE user_key = ${USER_KEY} AND seq = ?3 AND key <= ${LAST_OF_RUN}), 0)
    )
    ORDER BY key LIMIT ?4`,
  toolsOfRun: `
    SELECT seq, json FROM events
    WHERE user_key = ${USER_KEY} AND key BETWEEN ${FIRST_OF_RUN} AND ${LAST_OF_RUN} AND instr(json, '"type":"tool_') > 0
    ORDER BY key`,
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
      ofRun: database.prepare(EVENT_QUERIES.ofRun),
      toolsOfRun: database.prepare(EVENT_QUERIES.toolsOfRun),
      bounds: database.prepare(EVENT_QUERIES.bounds),
    };
  }

  read(userId: UserId, { after, limit, runId }: { after: number; limit: number; runId?: RunId }): EventPage {
    const { ofUser, ofRun } = this.statements;
    const rows = runId === undefined ? ofUser.all(userId, after, limit) : ofRun.all(userId, runId, after, limit);
    const items = rows.map((row) => eventFromRow(userId, row as unknown as EventRow));
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
    for (const { json } of this.statements.toolsOfRun.iterate(userId, runId)) {
      const { type, data } = parsed<RunEvent>(json, runId);
      if (type === 'tool_executing') open.set(data.callId, { callId: data.callId, tool: data.tool });
      if (type === 'tool_completed') open.delete(data.callId);
    }
    return [...open.values()];
  }
}
