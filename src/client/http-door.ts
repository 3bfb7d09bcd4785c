import { CarrelClientError, errorFrom, unexpected } from './client-error.js';

export interface HttpRequest {
  readonly query?: object;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** A token is asked for with every request: whoever gives it may keep it as long as it lasts. */
export type TokenSource = () => string | Promise<string>;

/** Requests to the server's REST API, with the caller's token. */
export class HttpDoor {
  constructor(
    readonly url: string,
    readonly token: TokenSource,
  ) {}

  /** @throws CarrelClientError; the signal's reason */
  async request<Answer>(method: string, path: string, request: HttpRequest = {}): Promise<Answer> {
    const response = await this.open(method, path, request);
    const text = await this.reached(() => response.text(), request.signal);
    try {
      return (text === '' ? undefined : JSON.parse(text)) as Answer;
    } catch (cause) {
      throw this.unexpected(response.status, { cause });
    }
  }

  /**
   * The response, whose body is still to be read. A token that the server calls expired is asked for again, once.
   *
   * @throws as `request`
   */
  async open(method: string, path: string, request: HttpRequest = {}): Promise<Response> {
    const response = await this.send(method, path, request);
    if (response.ok) return response;
    const error = await this.errorOf(response);
    if (error.code !== 'token_expired') throw error;
    const again = await this.send(method, path, request);
    if (again.ok) return again;
    throw await this.errorOf(again);
  }

  private async send(method: string, path: string, { query, body, headers, signal }: HttpRequest): Promise<Response> {
    const authorization = `Bearer ${await this.token()}`;
    const json = body === undefined ? undefined : { 'content-type': 'application/json' };
    return this.reached(
      () =>
        fetch(`${this.url}${path}${queryOf(query)}`, {
          method,
          signal,
          headers: { authorization, ...json, ...headers },
          body: body === undefined ? undefined : JSON.stringify(body),
        }),
      signal,
    );
  }

  private async reached<T>(work: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    try {
      return await work();
    } catch (cause) {
      signal?.throwIfAborted();
      throw new CarrelClientError('unreachable', `${this.url} can't be reached`, {}, { cause });
    }
  }

  private async errorOf(response: Response): Promise<CarrelClientError> {
    const { status } = response;
    const text = await response.text().catch(() => '');
    try {
      return errorFrom({ ...(JSON.parse(text) as object), status }, this.unexpected(status));
    } catch (cause) {
      return this.unexpected(status, { cause });
    }
  }

  private unexpected(status: number, options?: ErrorOptions): CarrelClientError {
    return unexpected(`${this.url} answered with ${status}, and not as Carrel does`, { status }, options);
  }
}

function queryOf(query: object = {}): string {
  const given = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) given.set(name, String(value));
  return given.size === 0 ? '' : `?${given.toString()}`;
}
