import type { RunEvent } from '../../src/events/run-event.js';
import { isTerminal } from '../carrel-server.js';
import type { Cluster, WorkRecord } from '../servers/cluster.js';
import type { ClusterUser } from './cluster-user.js';

/** Everything that was promised to these users: by what they have heard, and by the store. */
export async function expectWhole(cluster: Cluster, users: readonly ClusterUser[]): Promise<void> {
  for (const user of users) {
    expect({ user: user.id, faults: user.faults }).toEqual({ user: user.id, faults: [] });
    const runs = Map.groupBy(user.heard, ({ runId }) => runId as string);
    expect(user.accepted.filter((id) => !runs.has(id))).toEqual([]);
    for (const [runId, events] of runs) expectOneEnd(runId, events);
  }
  const ids = users.map(({ id }) => `'${id}'`).join(', ');
  const [left] = await cluster.sql(`SELECT
    (SELECT count(*)::int FROM runs WHERE user_id IN (${ids}) AND ended_at IS NULL) AS unended,
    (SELECT count(*)::int FROM runs WHERE user_id IN (${ids}) AND admitted) AS permits,
    (SELECT count(*)::int FROM runs WHERE user_id IN (${ids})) AS runs`);
  const accepted = users.reduce((sum, user) => sum + user.accepted.length, 0);
  expect(left).toEqual({ unended: 0, permits: 0, runs: accepted });
}

function expectOneEnd(runId: string, events: readonly RunEvent[]): void {
  const types = events.map(({ type }) => type);
  const ends = events.filter(isTerminal).length;
  expect({ runId, ends, last: isTerminal(events.at(-1)!), types }).toMatchObject({ ends: 1, last: true });
  expect(events.map(({ runSeq }) => runSeq)).toEqual(events.map((_, i) => i + 1));
  const open = new Set<string>();
  for (const event of events) {
    if (event.type === 'tool_executing') open.add(event.data.callId);
    if (event.type === 'tool_completed') expect(open.delete(event.data.callId)).toBe(true);
  }
  expect([...open]).toEqual([]);
}

/**
 * How many runs of one kind were at work at the same time, at most.
 *
 * @param deaths by process: when it was killed, which ends what it had begun
 * @param kindOf what to tell apart
 */
export function mostAtOnce<Kind>(
  records: readonly WorkRecord[],
  deaths: ReadonlyMap<number, number>,
  kindOf: (record: WorkRecord) => Kind,
): Map<Kind, number> {
  const partOf = ({ runId, attempt, pid }: WorkRecord) => `${runId} ${attempt} ${pid}`;
  const ended = new Set(records.filter(({ what }) => what === 'end').map(partOf));
  const most = new Map<Kind, number>();
  for (const [kind, own] of Map.groupBy(records, kindOf)) {
    const changes = own.map(({ what, atMs }) => ({ atMs, by: what === 'begin' ? 1 : -1 }));
    for (const begun of own.filter(({ what }) => what === 'begin')) {
      const diedAtMs = deaths.get(begun.pid);
      if (!ended.has(partOf(begun)) && diedAtMs !== undefined) changes.push({ atMs: diedAtMs, by: -1 });
    }
    let now = 0;
    let top = 0;
    for (const { by } of changes.toSorted((a, b) => a.atMs - b.atMs || a.by - b.by)) top = Math.max(top, (now += by));
    most.set(kind, top);
  }
  return most;
}
