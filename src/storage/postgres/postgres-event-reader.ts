import type { EventPage, OpenToolCall } from '../../events/event-journal.port.js';
import type { JournalledEvent, RunEvent } from '../../events/run-event.js';
import type { CallId, RunId, UserId } from '../../shared/ids.js';
import { eventsFromRow, type EventRow } from '../event-lines.js';
import { parsed } from '../run-row.js';
import type { Queryable } from './postgres-database.js';

const OF_USER = {
  name: 'events_of_user',
  text: 'SELECT seq, json FROM events WHERE user_id = $1 AND seq > $2 ORDER BY seq LIMIT $3',
};
/** Nothing for a run that is not there: one that was deleted with its thread has left its events, which say nothing. */
const OF_RUN = {
  name: 'events_of_run',
  text: `
    SELECT seq, json FROM events WHERE user_id = $1 AND run_id = $4 AND seq > $2
      AND EXISTS (SELECT 1 FROM runs WHERE user_id = $1 AND id = $4)
    ORDER BY seq LIMIT $3`,
};
const TOOLS_OF_RUN = {
  name: 'events_tools_of_run',
  text: `
    SELECT seq, json FROM events
    WHERE user_id = $1 AND run_id = $2 AND strpos(json, '"type":"tool_') > 0 ORDER BY seq`,
};
const BOUNDS = { name: 'events_bounds', text: 'SELECT pruned_seq, last_seq FROM users WHERE id = $1' };

/** What can be asked about events. */
export class PostgresEventReader {
  constructor(private readonly database: Queryable) {}

  async read(
    userId: UserId,
    { after, limit, runId }: { after: number; limit: number; runId?: RunId },
  ): Promise<EventPage> {
    const rows =
      runId === undefined
        ? await this.database.query<EventRow>(OF_USER, [userId, after, limit])
        : await this.database.query<EventRow>(OF_RUN, [userId, after, limit, runId]);
    const items: JournalledEvent[] = rows.flatMap((row) => eventsFromRow(userId, row));
    return { items, next: items.at(-1)?.seq ?? after };
  }

  async bounds(userId: UserId): Promise<{ pruned: number; last: number }> {
    const [row] = await this.database.query<{ pruned_seq: number; last_seq: number }>(BOUNDS, [userId]);
    return { pruned: row?.pruned_seq ?? 0, last: row?.last_seq ?? 0 };
  }

  async openToolCalls(userId: UserId, runId: RunId): Promise<OpenToolCall[]> {
    const open = new Map<CallId, OpenToolCall>();
    for (const { json } of await this.database.query<EventRow>(TOOLS_OF_RUN, [userId, runId])) {
      const { type, data } = parsed(json, runId) as RunEvent;
      if (type === 'tool_executing') open.set(data.callId, { callId: data.callId, tool: data.tool });
      if (type === 'tool_completed') open.delete(data.callId);
    }
    return [...open.values()];
  }
}
