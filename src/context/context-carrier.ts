import type { UserExecutionContext } from './user-execution-context.js';

const carried = new WeakMap<object, UserExecutionContext>();

/** Binds a verified context to what Nest calls the request (an HTTP request, a socket), before Nest builds its DI sub-tree. */
export function carryContext(request: object, context: UserExecutionContext): void {
  carried.set(request, context);
}

/** The context that a request carries; also when Nest was handed the raw request behind it. */
export function contextCarriedBy(request: object | undefined): UserExecutionContext | undefined {
  if (!request) return undefined;
  const direct = carried.get(request);
  if (direct) return direct;
  return 'raw' in request && typeof request.raw === 'object' && request.raw ? carried.get(request.raw) : undefined;
}
