import type { AuditAction, AuditEntry, BusyUser, KillSwitch } from '../execution/operations/operations-store.port.js';
import type { AuditId, UserId } from '../shared/ids.js';
import type { JsonObject } from '../shared/json.js';
import { parsed } from './run-row.js';

export interface KillSwitchRow {
  kind: string;
  name: string;
  reason: string;
  set_by: string;
  set_at: number;
}

export interface AuditRow {
  id: string;
  at: number;
  by_user: string;
  action: string;
  kind: string;
  name: string;
  details: string;
}

export function killSwitchFromRow({ kind, name, reason, set_by, set_at }: KillSwitchRow): KillSwitch {
  return { kind: kind as KillSwitch['kind'], name, reason, by: set_by as UserId, atMs: set_at };
}

export function auditEntryFromRow({ id, at, by_user, action, kind, name, details }: AuditRow): AuditEntry {
  return {
    id: id as AuditId,
    atMs: at,
    by: by_user as UserId,
    action: action as AuditAction,
    subject: { kind: kind as KillSwitch['kind'], name },
    details: parsed(details, id) as JsonObject,
  };
}

/** One page of those with most waiting first; the cursor is the last one's place in that order. */
export function busiest(
  users: readonly BusyUser[],
  { limit, cursor }: { limit: number; cursor?: string },
): { items: readonly BusyUser[]; nextCursor?: string } {
  const after = cursor === undefined ? undefined : userAt(cursor);
  const rest = after ? users.filter((user) => byBusiness(after, user) < 0) : users;
  const items = rest.toSorted(byBusiness).slice(0, limit);
  const last = items.at(-1);
  return rest.length > limit && last
    ? { items, nextCursor: `${last.waiting}.${last.running}.${last.userId}` }
    : { items };
}

function userAt(cursor: string): BusyUser {
  const [waiting, running, ...userId] = cursor.split('.');
  return { userId: userId.join('.') as UserId, running: Number(running), waiting: Number(waiting) };
}

function byBusiness(a: BusyUser, b: BusyUser): number {
  return b.waiting - a.waiting || b.running - a.running || (a.userId < b.userId ? -1 : Number(a.userId > b.userId));
}
