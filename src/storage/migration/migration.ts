import { CarrelError, isCarrelError } from '../../shared/errors.js';
import type { UserId } from '../../shared/ids.js';
import { PostgresTarget } from './postgres-target.js';
import { SqliteSource, type Counts, type SourceUser } from './sqlite-source.js';

/** How many rows of a table there were, and how many of them are in the database now. */
interface MovedCount {
  readonly table: string;
  readonly source: number;
  readonly target: number;
}

export interface MigrationReport {
  /** Users who were copied now. */
  readonly copied: number;
  /** Users whom an earlier call had copied. */
  readonly known: number;
  /** Calls of models that were under way when the server ended: their reservations count as spent. */
  readonly settledReservations: number;
  readonly counts: readonly MovedCount[];
  /** Users whose events are not numbered without a gap. */
  readonly gaps: readonly UserId[];
  /** All counts are equal, and no sequence has a gap. */
  readonly isProven: boolean;
}

/** Users between two signs of life. */
const TELL_EVERY = 1_000;
/** Users who are named in an error at most. */
const MAX_NAMED = 5;

/**
 * Copies the data folder of a server that is stopped into a database: each user in one transaction, in bounded memory. Users
 * who are there already, with the same counts, are left as they are, so it can be called again after it was interrupted. When
 * one is there with other counts, nothing is written at all.
 */
export class Migration {
  private constructor(
    private readonly source: SqliteSource,
    private readonly target: PostgresTarget,
  ) {}

  /**
   * @param tell called now and then with the number of users that are done
   * @throws CarrelError `migration_refused`; what opening the folder or the database throws
   */
  static async run(
    { from, databaseUrl }: { from: string; databaseUrl: string },
    tell: (users: number) => void,
  ): Promise<MigrationReport> {
    const source = SqliteSource.open(from);
    try {
      const target = await PostgresTarget.open({ url: databaseUrl, maxConnections: 2, answerTimeoutMs: 0 });
      try {
        return await new Migration(source, target).run(tell);
      } finally {
        await target.close();
      }
    } finally {
      source.close();
    }
  }

  private async run(tell: (users: number) => void): Promise<MigrationReport> {
    await this.refuseNodes();
    await this.refuseOthers();
    const users = await this.copyUsers(tell);
    await this.target.addOperations(this.source.killSwitches(), this.source.audit());
    return { ...users, settledReservations: this.source.settledReservations, ...(await this.proof()) };
  }

  /** Nodes would carry on what is copied, and nothing could be proved then. */
  private async refuseNodes(): Promise<void> {
    const nodes = await this.target.livingNodes();
    if (nodes === 0) return;
    const text = `${nodes} ${nodes === 1 ? 'node works' : 'nodes work'} on the database. Stop all nodes, wait 15 seconds if one was killed, and start this again`;
    throw new CarrelError('migration_refused', text);
  }

  /** Before anything is written, so that a database that is somebody else's stays as it is. */
  private async refuseOthers(): Promise<void> {
    const others: string[] = [];
    for (const page of this.source.pages()) {
      const known = await this.target.known(page.map(({ id }) => id));
      for (const user of page) {
        if (!known.has(user.id)) continue;
        const difference = await this.differenceOf(user);
        if (difference) others.push(`${user.id} (${difference})`);
      }
    }
    if (others.length > 0) throw refusal(others);
  }

  private async copyUsers(tell: (users: number) => void): Promise<{ copied: number; known: number }> {
    let copied = 0;
    let known = 0;
    for (const page of this.source.pages()) {
      const there = await this.target.known(page.map(({ id }) => id));
      for (const user of page) {
        const isNew = !there.has(user.id) && (await this.copy(user));
        if (isNew) copied += 1;
        else known += 1;
        if ((copied + known) % TELL_EVERY === 0) tell(copied + known);
      }
    }
    return { copied, known };
  }

  /** @throws CarrelError that says whose data it was */
  private async copy(user: SourceUser): Promise<boolean> {
    try {
      return await this.target.copy(user, (table) => this.source.rows(table, user));
    } catch (cause) {
      if (isCarrelError(cause) && cause.code === 'database_unavailable') throw cause;
      const why = cause instanceof Error ? cause.message : String(cause);
      const text = `The data of the user ${user.id} can't be copied, and nothing of them was written: ${why}`;
      throw new CarrelError('migration_refused', text, { cause });
    }
  }

  private async proof(): Promise<Pick<MigrationReport, 'counts' | 'gaps' | 'isProven'>> {
    const target: Record<string, number> = {};
    const gaps: UserId[] = [];
    for (const page of this.source.pages()) {
      const ids = page.map(({ id }) => id);
      for (const [table, n] of Object.entries(await this.target.countsOf(ids)))
        target[table] = (target[table] ?? 0) + n;
      gaps.push(...(await this.target.usersWithGaps(ids)));
    }
    Object.assign(target, await this.target.countOperations(this.source.killSwitches(), this.source.audit()));
    const counts = Object.entries(this.source.totals()).map(([table, source]) => ({
      table,
      source,
      target: target[table] ?? 0,
    }));
    return { counts, gaps, isProven: gaps.length === 0 && counts.every((one) => one.source === one.target) };
  }

  /** The first table in which the database has another number of the user's rows; undefined: there is none. */
  private async differenceOf(user: SourceUser): Promise<string | undefined> {
    const counts: Counts = this.source.countsOf(user);
    const target = await this.target.countsOf([user.id]);
    const table = Object.keys(counts).find((name) => counts[name] !== target[name]);
    return table && `${table}: ${counts[table]} in the folder, ${target[table]} in the database`;
  }
}

function refusal(others: readonly string[]): CarrelError {
  const named = others.slice(0, MAX_NAMED).join('; ');
  const more = others.length > MAX_NAMED ? `; and ${others.length - MAX_NAMED} more` : '';
  const text =
    `The database has other data of the same users, and nothing was written: ${named}${more}. ` +
    'Name an empty database; or, if nodes have worked on it since it was copied, keep it and leave the folder';
  return new CarrelError('migration_refused', text);
}
