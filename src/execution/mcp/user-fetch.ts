import type { FetchLike } from '@modelcontextprotocol/client';
import { Agent, fetch, Response, type HeadersInit } from 'undici';
import { CarrelError } from '../../shared/errors.js';
import { traceHeaders } from '../../shared/trace-span.js';
import { boundedBody } from './bounded-body.js';
import { tooLarge } from './mcp-failure.js';

export interface UserFetchOptions {
  readonly maxMessageBytes: number;
  /** Told when the connection is of no use any more. */
  readonly onLost: (reason: CarrelError) => void;
}

/**
 * HTTP for one user and one server, over sockets that nobody else uses: answers are bounded while they are read, redirects are
 * refused, and what means the end of the connection is recognised.
 */
export class UserFetch {
  /** How long an answer takes is for those who ask to say; streams of events may be silent for as long as they like. */
  private readonly agent = new Agent({ headersTimeout: 0, bodyTimeout: 0 });

  constructor(private readonly options: UserFetchOptions) {}

  readonly fetch: FetchLike = async (url, init = {}) => {
    const response = await this.answerTo(url, init);
    const refusal = refusalOf(response, init);
    if (refusal) {
      await response.body?.cancel();
      this.options.onLost(refusal);
      throw refusal;
    }
    return this.bounded(response);
  };

  /** Closes all sockets. */
  async close(): Promise<void> {
    await this.agent.destroy();
  }

  private async answerTo(url: string | URL, init: RequestInit): Promise<Response> {
    const { method, body, signal } = init;
    const headers = [...new Headers(init.headers), ...Object.entries(traceHeaders())] as HeadersInit;
    try {
      const request = { method, headers, body: body as string | undefined, signal, redirect: 'manual' as const };
      return await fetch(url, { ...request, dispatcher: this.agent });
    } catch (error) {
      if (signal?.aborted) throw error;
      const reason = unreachable(error);
      // the stream that the server opens by itself is opened again, and a session that can't be ended is over anyway
      if (method === 'POST') this.options.onLost(reason);
      throw reason;
    }
  }

  private bounded(response: Response): Response {
    if (!response.body) return response;
    const { maxMessageBytes, onLost } = this.options;
    const isEventStream = response.headers.get('content-type')?.startsWith('text/event-stream') ?? false;
    const limit = boundedBody(maxMessageBytes, isEventStream, () => {
      const reason = tooLarge(maxMessageBytes);
      onLost(reason);
      return reason;
    });
    const { status, statusText, headers } = response;
    return new Response(response.body.pipeThrough(limit), { status, statusText, headers });
  }
}

/** Why the answer means that the connection is of no use; undefined when it does not. */
function refusalOf({ status }: Response, { method, headers, body }: RequestInit): CarrelError | undefined {
  if (status >= 300 && status < 400) {
    return finalRefusal(`it answered with a redirect (HTTP ${status}), and those are not followed`);
  }
  if (status === 401 || status === 403) return finalRefusal(`it does not accept your credentials (HTTP ${status})`);
  if (method !== 'POST') return undefined;
  if (status === 404 || status === 400) {
    const hasSession = new Headers(headers).has('mcp-session-id');
    return hasSession ? new CarrelError('mcp_unavailable', 'it has forgotten the session') : undefined;
  }
  if (status === 202 && isRequest(body)) {
    return new CarrelError('mcp_unavailable', 'it took a request without an answer (HTTP 202)');
  }
  return undefined;
}

function finalRefusal(why: string): CarrelError {
  return new CarrelError('mcp_unavailable', why, { retryable: false });
}

function isRequest(body: RequestInit['body']): boolean {
  if (typeof body !== 'string') return false;
  const message = JSON.parse(body) as { method?: unknown; id?: unknown };
  return message.method !== undefined && message.id !== undefined;
}

function unreachable(error: unknown): CarrelError {
  const cause = (error as { cause?: { code?: unknown } }).cause;
  const code = typeof cause?.code === 'string' ? ` (${cause.code})` : '';
  return new CarrelError('mcp_unavailable', `it can not be reached${code}`, { cause: error });
}
