import type { AuditEntry, KillSwitch, SwitchSubject } from '../../execution/operations/operations-store.port.js';
import { auditEntryFromRow, killSwitchFromRow, type AuditRow, type KillSwitchRow } from '../operations-row.js';
import { AFTER_ALL } from './run-reader.js';
import type { SqliteDatabase } from './sqlite-database.js';

/** What operators have switched off, and what they did. Few rows, written seldom. */
export class OperationsTable {
  private readonly statements;

  constructor(database: SqliteDatabase) {
    this.statements = {
      switches: database.prepare('SELECT * FROM kill_switches ORDER BY kind, name'),
      others: database.prepare('SELECT count(*) AS n FROM kill_switches WHERE NOT (kind = ? AND name = ?)'),
      set: database.prepare(
        `INSERT INTO kill_switches (kind, name, reason, set_by, set_at) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (kind, name) DO UPDATE SET reason = ?3, set_by = ?4, set_at = ?5`,
      ),
      unset: database.prepare('DELETE FROM kill_switches WHERE kind = ? AND name = ?'),
      record: database.prepare(
        'INSERT INTO audit (id, at, by_user, action, kind, name, details) VALUES (?, ?, ?, ?, ?, ?, ?)',
      ),
      audit: database.prepare('SELECT * FROM audit WHERE id < ? ORDER BY id DESC LIMIT ?'),
      prune: database.prepare(
        `DELETE FROM audit WHERE id IN
           (SELECT id FROM audit INDEXED BY audit_by_age WHERE at < ? ORDER BY at LIMIT ?)`,
      ),
    };
  }

  switches(): KillSwitch[] {
    return this.statements.switches.all().map((row) => killSwitchFromRow(row as unknown as KillSwitchRow));
  }

  /** How many there are beside this one. */
  countOthers({ kind, name }: SwitchSubject): number {
    return Number(this.statements.others.get(kind, name)?.n);
  }

  set({ kind, name, reason, by, atMs }: KillSwitch): void {
    this.statements.set.run(kind, name, reason, by, atMs);
  }

  unset({ kind, name }: SwitchSubject): boolean {
    return Number(this.statements.unset.run(kind, name).changes) > 0;
  }

  record({ id, atMs, by, action, subject, details }: AuditEntry): void {
    this.statements.record.run(id, atMs, by, action, subject.kind, subject.name, JSON.stringify(details));
  }

  audit({ limit, cursor = AFTER_ALL }: { limit: number; cursor?: string }) {
    const rows = this.statements.audit.all(cursor, limit + 1) as unknown as AuditRow[];
    const items = rows.slice(0, limit).map(auditEntryFromRow);
    return rows.length > limit ? { items, nextCursor: items.at(-1)?.id } : { items };
  }

  prune(beforeMs: number, limit: number): number {
    return Number(this.statements.prune.run(beforeMs, limit).changes);
  }
}
