import {
  isJSONRPCNotification,
  isJSONRPCRequest,
  isJSONRPCResponse,
  StreamableHTTPClientTransport,
  type JSONRPCMessage,
  type RequestId,
  type Transport,
  type TransportSendOptions,
} from '@modelcontextprotocol/client';
import type { Clock } from '../../shared/clock.js';
import { CarrelError } from '../../shared/errors.js';
import { isOverWithin } from '../../shared/pause.js';
import { UserFetch, type UserFetchOptions } from './user-fetch.js';

/** How long a server may take to end a session. */
const GRACE_MS = 1_000;

export interface HttpTransportOptions extends UserFetchOptions {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly clock: Clock;
}

/**
 * Streamable HTTP for one user: the SDK's transport, over sockets of the user's own, that notices when an answer breaks off (the
 * SDK waits until the request's time is over) and ends its session when it is closed.
 */
export class HttpTransport implements Transport {
  onclose?: () => void;
  onerror?: (error: Error) => void;
  onmessage?: Transport['onmessage'];
  /** As the SDK's: on 2026-07-28, to end the stream of a request cancels it. */
  readonly hasPerRequestStream = true;
  private readonly http: UserFetch;
  private readonly inner: StreamableHTTPClientTransport;
  /** Requests under way. */
  private readonly unanswered = new Set<RequestId>();
  private isClosing = false;

  constructor(private readonly options: HttpTransportOptions) {
    this.http = new UserFetch(options);
    const requestInit = { headers: { ...options.headers } };
    this.inner = new StreamableHTTPClientTransport(options.url, { requestInit, fetch: this.http.fetch });
    Object.assign(this.inner, {
      onerror: (error: Error) => this.onerror?.(error),
      onmessage: (message: JSONRPCMessage) => this.receive(message),
    });
  }

  get sessionId(): string | undefined {
    return this.inner.sessionId;
  }

  setProtocolVersion(version: string): void {
    this.inner.setProtocolVersion(version);
  }

  start(): Promise<void> {
    return this.inner.start();
  }

  async send(message: JSONRPCMessage, options: TransportSendOptions = {}): Promise<void> {
    if (isJSONRPCNotification(message) && message.method === 'notifications/cancelled') {
      this.unanswered.delete(message.params?.['requestId'] as RequestId);
    }
    if (!isJSONRPCRequest(message)) return this.inner.send(message, options);
    const { id } = message;
    this.unanswered.add(id);
    const forget = () => this.unanswered.delete(id);
    options.requestSignal?.addEventListener('abort', forget, { once: true });
    try {
      await this.inner.send(message, { onRequestStreamEnd: () => this.streamEnded(id), ...options });
    } catch (error) {
      forget();
      throw error;
    }
  }

  /** Resolves when the session is over and all sockets are closed. */
  async close(): Promise<void> {
    if (this.isClosing) return;
    this.isClosing = true;
    this.onclose?.();
    const sessionOver = this.inner.terminateSession().catch(() => {}); // there are servers that keep them, and some are away
    await isOverWithin(GRACE_MS, sessionOver, this.options.clock);
    await this.inner.close();
    await this.http.close();
  }

  private receive(message: JSONRPCMessage): void {
    if (isJSONRPCResponse(message) && message.id !== undefined) this.unanswered.delete(message.id);
    if (!this.isClosing) this.onmessage?.(message);
  }

  private streamEnded(id: RequestId): void {
    if (this.unanswered.delete(id)) this.options.onLost(new CarrelError('mcp_unavailable', 'its answer broke off'));
  }
}
