import type { UserExecutionContext } from './user-execution-context.js';

/** A property, since a `WeakMap` costs the garbage collector work for every request; nobody else has its key. */
const CONTEXT = Symbol('context');

interface Carrier {
  [CONTEXT]?: UserExecutionContext;
  readonly raw?: unknown;
}

/** Binds a verified context to what Nest calls the request (an HTTP request, a socket), before Nest builds its DI sub-tree. */
export function carryContext(request: object, context: UserExecutionContext): void {
  (request as Carrier)[CONTEXT] = context;
}

/** The context that a request carries; also when Nest was handed the raw request behind it. */
export function contextCarriedBy(request: object | undefined): UserExecutionContext | undefined {
  const carrier: Carrier | undefined = request;
  return carrier?.[CONTEXT] ?? (carrier?.raw as Carrier | undefined)?.[CONTEXT];
}
