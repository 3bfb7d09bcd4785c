import type { HttpDoor, HttpRequest } from './http-door.js';

export interface RequestOptions {
  readonly signal?: AbortSignal;
}

export type Page = RequestOptions & { readonly limit?: number; readonly cursor?: string };

/** What a method of the server's answers with. */
export type Answer<Class, Method extends keyof Class> = Class[Method] extends (...args: never[]) => infer Result
  ? Awaited<Result>
  : never;

/** A part of the API. */
export abstract class Resource {
  constructor(private readonly door: HttpDoor) {}

  protected get<T>(path: string, { signal, ...query }: RequestOptions = {}): Promise<T> {
    return this.door.request('GET', path, { signal, query });
  }

  protected send<T>(method: string, path: string, request: HttpRequest): Promise<T> {
    return this.door.request(method, path, request);
  }
}

export function at(path: string, name: string): string {
  return `${path}/${encodeURIComponent(name)}`;
}
