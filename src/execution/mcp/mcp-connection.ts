import type { Client, PriorDiscovery } from '@modelcontextprotocol/client';
import type { Clock } from '../../shared/clock.js';
import { CarrelError } from '../../shared/errors.js';
import type { UserTransport } from './mcp-transports.js';
import type { McpSession } from './session/mcp-session.js';

/** What a connection is made of. */
export interface McpConnectionParts {
  readonly session: McpSession;
  createTransport(onLost: (reason: CarrelError) => void): Promise<UserTransport>;
  readonly timeoutMs: number;
  readonly clock: Clock;
  /** Stops the opening; its reason is a `CarrelError`. */
  readonly signal: AbortSignal;
  /** The server is known to speak the older, session-based protocol: it is not asked first. */
  readonly isLegacy: boolean;
}

/** One user's connection to one server. */
export class McpConnection {
  private readonly over = Promise.withResolvers<CarrelError | undefined>();
  private isEnded = false;
  private why: CarrelError | undefined;
  private transport: UserTransport | undefined;

  private constructor(
    /** What is said over it. */
    readonly session: McpSession,
  ) {}

  /** @throws CarrelError `mcp_unavailable`, or what the SDK throws; nothing is left of the connection then */
  static async open(parts: McpConnectionParts): Promise<McpConnection> {
    const connection = new McpConnection(parts.session);
    const { clock, timeoutMs, signal } = parts;
    const cancelTimer = clock.after(timeoutMs, () => connection.end(timedOut(timeoutMs)));
    const stop = () => connection.end(signal.reason as CarrelError);
    signal.addEventListener('abort', stop, { once: true });
    try {
      signal.throwIfAborted();
      await connection.connect(parts);
      return connection;
    } catch (error) {
      await connection.close();
      throw connection.endedBecause ?? error;
    } finally {
      cancelTimer();
      signal.removeEventListener('abort', stop);
    }
  }

  /** Never close it: `end` does. */
  get client(): Client {
    return this.session.client;
  }

  /** Why it has ended before its time; undefined while it has not. */
  get endedBecause(): CarrelError | undefined {
    return this.why;
  }

  /** It is used no more. */
  get isOver(): boolean {
    return this.isEnded;
  }

  /** Resolves when it is to be closed: with a reason when it was lost or given up, without one when it is only not needed. */
  get ended(): Promise<CarrelError | undefined> {
    return this.over.promise;
  }

  /**
   * Has it closed by the pool, which opens another one when it is needed. Requests under way fail.
   *
   * @param reason why it can't be used any more, as the end of a sentence about the server; none: it is not needed
   */
  end(reason?: CarrelError): void {
    if (this.isEnded) return;
    this.isEnded = true;
    this.why = reason;
    this.over.resolve(reason);
  }

  /** Resolves when nothing is left of it. */
  async close(): Promise<void> {
    await this.transport?.end();
    await this.client.close();
  }

  private async connect({ createTransport, timeoutMs, isLegacy }: McpConnectionParts): Promise<void> {
    this.transport = await createTransport((reason) => this.end(reason));
    const prior: PriorDiscovery | undefined = isLegacy ? { kind: 'legacy' } : undefined;
    this.session.attach(this.transport.transport, (reason) => this.end(reason));
    const connected = this.client.connect(this.transport.transport, { timeout: timeoutMs, prior });
    await Promise.race([connected, this.ended.then((reason) => Promise.reject(reason))]);
  }
}

function timedOut(timeoutMs: number): CarrelError {
  return new CarrelError('mcp_unavailable', `it did not start and say what it is within ${timeoutMs} ms`);
}
