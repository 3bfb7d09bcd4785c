import { setTimeout as delay } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import { Pool, types, type CustomTypesConfig, type PoolClient } from 'pg';
import { CarrelError } from '../../shared/errors.js';
import { checkServer, unreachable } from './postgres-check.js';
import { explained, isConflict, isConnectionLost } from './postgres-errors.js';
import { migrate } from './postgres-migrations.js';

export interface PostgresOptions {
  /** `postgresql://user:password@host:port/database` */
  url: string;
  /** Connections at most. @default 10 */
  maxConnections?: number;
}

/** A statement with a name is parsed and planned once on each connection. */
export interface Statement {
  readonly name: string;
  readonly text: string;
}

/** Somebody who carries out statements: any connection, or the one of a transaction. */
export interface Queryable {
  /** @returns the rows; whole numbers of 64 bits are numbers */
  query<Row extends object>(statement: Statement, values?: readonly unknown[]): Promise<Row[]>;
}

const CONNECT_TIMEOUT_MS = 10_000;
/** Times that a transaction is begun again when it was in another one's way, or its connection broke before it could commit. */
const MAX_RETRIES = 5;
const FIRST_PAUSE_MS = 20;

const INT8 = 20;
/** Numbers of 64 bits stay exact up to 2^53, which counters, sizes and milliseconds never reach. */
const TYPES: CustomTypesConfig = {
  getTypeParser: (oid: number, format?: 'text' | 'binary') =>
    oid === INT8 ? Number : types.getTypeParser(oid, format),
};

/** The connections of this process to PostgreSQL. */
export class PostgresDatabase {
  private readonly logger = new Logger('Storage');
  private closed: Promise<void> | undefined;

  private constructor(private readonly pool: Pool) {
    // without listeners a connection that breaks, in use or not, would end the process
    pool.on('error', () => undefined);
    pool.on('connect', (client) => {
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
  static async open({ url, maxConnections = 10 }: PostgresOptions): Promise<PostgresDatabase> {
    const pool = poolOf(url, maxConnections);
    const database = new PostgresDatabase(pool);
    try {
      const client = await pool.connect();
      try {
        await checkServer(client);
        await migrate(client);
      } finally {
        client.release();
      }
      return database;
    } catch (error) {
      await database.close();
      throw unreachable(error, url);
    }
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
  async transaction<T>(work: (connection: Queryable) => Promise<T>): Promise<T> {
    for (let retries = 0; ; retries += 1) {
      this.checkOpen();
      const outcome = await this.attempt(work);
      if ('value' in outcome) return outcome.value;
      if (!outcome.retryable || retries === MAX_RETRIES) throw explained(outcome.error);
      await delay(FIRST_PAUSE_MS * 2 ** retries * (0.5 + Math.random()));
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

  private async attempt<T>(
    work: (connection: Queryable) => Promise<T>,
  ): Promise<{ value: T } | { error: unknown; retryable: boolean }> {
    let client: PoolClient | undefined;
    let isCommitting = false;
    try {
      client = await this.pool.connect();
      const connection = client;
      await connection.query('BEGIN');
      const value = await work({ query: (statement, values = []) => rowsOf(connection, statement, values) });
      isCommitting = true;
      await connection.query('COMMIT');
      connection.release();
      return { value };
    } catch (error) {
      const lost = isConnectionLost(error);
      if (client) await giveBack(client, lost);
      // whether a commit whose answer got lost has happened, nobody here can know
      return { error, retryable: isConflict(error) || (lost && !isCommitting) };
    }
  }

  private checkOpen(): void {
    if (!this.isOpen) throw new CarrelError('draining', 'The storage is closed');
  }
}

function poolOf(url: string, max: number): Pool {
  try {
    return new Pool({
      connectionString: url,
      max,
      application_name: 'carrel',
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      keepAlive: true,
      types: TYPES,
    });
  } catch (cause) {
    throw new CarrelError('invalid_config', 'DATABASE_URL must be like postgresql://user:password@host:5432/database', {
      cause,
    });
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
