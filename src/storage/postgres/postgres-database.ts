import { setTimeout as delay } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import { Client, Pool, types, type CustomTypesConfig, type PoolClient } from 'pg';
import { CarrelError } from '../../shared/errors.js';
import { checkServer, unreachable } from './postgres-check.js';
import { explained, isConflict, isConnectionLost } from './postgres-errors.js';
import { migrate } from './postgres-migrations.js';

export interface PostgresOptions {
  /** `postgresql://user:password@host:port/database` */
  url: string;
  /** Connections at most. @default 10 */
  maxConnections?: number;
  /** How long a statement may take before its connection counts as lost; 0: as long as it likes. @default 5000 */
  answerTimeoutMs?: number;
}

/** A statement with a name that is not empty is parsed and planned once on each connection. */
export interface Statement {
  readonly name: string;
  readonly text: string;
}

/** Somebody who carries out statements: any connection, or the one of a transaction. */
export interface Queryable {
  /** @returns the rows; whole numbers of 64 bits are numbers */
  query<Row extends object>(statement: Statement, values?: readonly unknown[]): Promise<Row[]>;
}

/**
 * Limits that fit the 9 s after which a node that can't say that it lives counts itself as dead: a connection that has gone
 * silent is noticed, and another one is there, before that.
 */
const CONNECT_TIMEOUT_MS = 3_000;
const ANSWER_TIMEOUT_MS = 5_000;
/** Of the server: what a node that fell silent, or asleep, has locked is free again before others give up waiting for it. */
const SILENT_HOLDER_MS = 3_000;
/** Times that a transaction is begun again when it was in another one's way, or its connection broke before it could commit. */
const MAX_RETRIES = 5;
const FIRST_PAUSE_MS = 20;
const LONGEST_PAUSE_MS = 500;

/** The connection of a transaction. */
export interface Transaction extends Queryable {
  /** Sends a statement on its way and does not wait: when it fails, the transaction does. */
  send(statement: Statement, values?: readonly unknown[]): void;
}

/** How far a transaction goes to be carried out. */
export interface Persistence {
  /** How long it is begun again while the server can't be reached. @default a few times, about a second */
  patienceMs?: number;
  /**
   * Asked, on a new connection, whether the transaction has happened whose commit was not answered. Without it, a commit
   * whose answer got lost is an error.
   */
  wasCommitted?(connection: Queryable): Promise<boolean>;
}

/** How one attempt at a transaction has gone. */
type Attempt<T> =
  | { outcome: 'committed'; value: T }
  | { outcome: 'in_doubt'; value: T; error: unknown }
  | { outcome: 'conflict' | 'lost' | 'failed'; error: unknown };

const LET_GO = `SET idle_in_transaction_session_timeout = ${SILENT_HOLDER_MS}`;
const BEGIN: Statement = { name: '', text: 'BEGIN' };
const COMMIT: Statement = { name: '', text: 'COMMIT' };

const INT8 = 20;
/** Numbers of 64 bits stay exact up to 2^53, which counters, sizes and milliseconds never reach. */
const TYPES: CustomTypesConfig = {
  getTypeParser: (oid: number, format?: 'text' | 'binary') =>
    oid === INT8 ? Number : types.getTypeParser(oid, format),
};

const CONNECTION = { connectionTimeoutMillis: CONNECT_TIMEOUT_MS, keepAlive: true, application_name: 'carrel' };

/** The connections of this process to PostgreSQL. */
export class PostgresDatabase {
  private readonly logger = new Logger('Storage');
  private closed: Promise<void> | undefined;

  private constructor(private readonly pool: Pool) {
    // without listeners a connection that breaks, in use or not, would end the process
    pool.on('error', () => undefined);
    pool.on('connect', (client) => {
      client.query(LET_GO).catch(() => undefined); // goes before whatever is asked first
      client.on('error', (err) => {
        if (this.isOpen) this.logger.warn({ err }, 'a connection to PostgreSQL was lost');
      });
    });
  }

  /**
   * Connects, checks the server, and brings the tables up to date; several processes may do so at once.
   *
   * @throws CarrelError `database_unavailable` | `invalid_config` | `unsupported_database` | `incompatible_data`
   */
  static async open(options: PostgresOptions): Promise<PostgresDatabase> {
    const { url } = options;
    const client = clientOf(url);
    client.on('error', () => undefined); // whoever asks is told
    try {
      await client.connect();
      await checkServer(client);
      await migrate(client); // takes as long as it takes
    } catch (error) {
      throw unreachable(error, url);
    } finally {
      await client.end().catch(() => undefined);
    }
    return new PostgresDatabase(poolOf(options));
  }

  get isOpen(): boolean {
    return this.closed === undefined;
  }

  /** @throws CarrelError `database_unavailable`; `draining` after `close` */
  async query<Row extends object>(statement: Statement, values: readonly unknown[] = []): Promise<Row[]> {
    this.checkOpen();
    try {
      return await rowsOf<Row>(this.pool, statement, values);
    } catch (error) {
      throw explained(error);
    }
  }

  /**
   * Runs `work` in one transaction, which is rolled back when it throws. It may be called several times: it must not change
   * anything but the database.
   *
   * @throws CarrelError `database_unavailable`; `draining` after `close`
   */
  async transaction<T>(
    work: (connection: Transaction) => Promise<T>,
    { patienceMs = 0, wasCommitted }: Persistence = {},
  ): Promise<T> {
    const givesUpAtMs = performance.now() + patienceMs;
    let doubt: { value: T } | undefined;
    for (let retries = 0; ; retries += 1) {
      this.checkOpen();
      const attempt = await (doubt && wasCommitted ? this.resolve(doubt.value, wasCommitted) : this.attempt(work));
      if (attempt.outcome === 'committed') return attempt.value;
      const mayTryAgain = retries < MAX_RETRIES || (isConnectionLost(attempt.error) && performance.now() < givesUpAtMs);
      const isHopeless = attempt.outcome === 'failed' || (attempt.outcome === 'in_doubt' && !wasCommitted);
      if (isHopeless || !mayTryAgain) throw explained(attempt.error);
      doubt = attempt.outcome === 'in_doubt' ? attempt : undefined;
      await delay(Math.min(FIRST_PAUSE_MS * 2 ** retries, LONGEST_PAUSE_MS) * (0.5 + Math.random()));
    }
  }

  /** A connection for the caller alone, until `release`; given back with an error, it is closed. */
  async connect(): Promise<PoolClient> {
    this.checkOpen();
    try {
      return await this.pool.connect();
    } catch (error) {
      throw explained(error);
    }
  }

  /** Waits for what is under way. May be called again. */
  close(): Promise<void> {
    this.closed ??= this.pool.end();
    return this.closed;
  }

  private async attempt<T>(work: (connection: Transaction) => Promise<T>): Promise<Attempt<T>> {
    let client: PoolClient | undefined;
    let done: { value: T } | undefined;
    try {
      client = await this.pool.connect();
      const connection = new SentInOrder(client);
      connection.send(BEGIN);
      done = { value: await work(connection) };
      connection.send(COMMIT);
      await connection.answered();
      client.release();
      return { outcome: 'committed', ...done };
    } catch (error) {
      const isLost = isConnectionLost(error);
      if (client) await giveBack(client, isLost);
      if (isConflict(error)) return { outcome: 'conflict', error };
      if (!isLost) return { outcome: 'failed', error };
      // whether a commit whose answer got lost has happened, nobody here can know
      return done ? { outcome: 'in_doubt', ...done, error } : { outcome: 'lost', error };
    }
  }

  /** What has become of a commit that was not answered. */
  private async resolve<T>(value: T, wasCommitted: (connection: Queryable) => Promise<boolean>): Promise<Attempt<T>> {
    const asked = await this.attempt(wasCommitted);
    if (asked.outcome === 'committed') {
      const error = new CarrelError('database_unavailable');
      return asked.value ? { outcome: 'committed', value } : { outcome: 'lost', error };
    }
    return asked.outcome === 'failed' ? asked : { outcome: 'in_doubt', value, error: asked.error };
  }

  private checkOpen(): void {
    if (!this.isOpen) throw new CarrelError('draining', 'The storage is closed');
  }
}

function clientOf(url: string): Client {
  try {
    return new Client({ ...CONNECTION, connectionString: url });
  } catch (cause) {
    throw new CarrelError('invalid_config', 'DATABASE_URL must be like postgresql://user:password@host:5432/database', {
      cause,
    });
  }
}

function poolOf({ url, maxConnections = 10, answerTimeoutMs = ANSWER_TIMEOUT_MS }: PostgresOptions): Pool {
  return new Pool({
    ...CONNECTION,
    connectionString: url,
    max: maxConnections,
    query_timeout: answerTimeoutMs,
    pipeline: true,
    types: TYPES,
  });
}

/** Statements go out as they come, and are answered in their order: so those that nobody waits for cost no round trip. */
class SentInOrder implements Transaction {
  private readonly sent: Promise<unknown>[] = [];

  constructor(private readonly client: PoolClient) {}

  query<Row extends object>(statement: Statement, values: readonly unknown[] = []): Promise<Row[]> {
    return rowsOf(this.client, statement, values);
  }

  send(statement: Statement, values: readonly unknown[] = []): void {
    const answer = this.query(statement, values);
    answer.catch(() => undefined); // whoever waits for all of them is told
    this.sent.push(answer);
  }

  /** @throws what went wrong first */
  async answered(): Promise<void> {
    for (const answer of this.sent) await answer;
  }
}

async function rowsOf<Row extends object>(
  client: Pool | PoolClient,
  { name, text }: Statement,
  values: readonly unknown[],
): Promise<Row[]> {
  const { rows } = await client.query<Row>({ name, text, values: [...values] });
  return rows;
}

async function giveBack(client: PoolClient, isLost: boolean): Promise<void> {
  if (isLost) return client.release(true);
  try {
    await client.query('ROLLBACK');
    client.release();
  } catch {
    client.release(true);
  }
}
