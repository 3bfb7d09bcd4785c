import type { UserExecutionContext } from '../context/user-execution-context.js';
import type { RequestId } from '../shared/ids.js';

/** Facts about the request that asked for a run; kept with it so that its context is whole again after a restart. */
export interface RunOrigin {
  requestId: RequestId;
  roles: readonly string[];
  /** Claims of the caller's token, those that placeholders of `mcp.json` ask for; never shown. Undefined: it asks for none. */
  claims?: Readonly<Record<string, string>>;
  clientIp?: string;
  userAgent?: string;
  traceId?: string;
  /** W3C Trace Context of whoever asked: the run goes on with that trace, in whatever process. */
  traceparent?: string;
}

export function originOf({ requestId, roles, claims, audit }: UserExecutionContext): RunOrigin {
  const asked = Object.keys(claims).length > 0;
  return { requestId, roles, ...(asked && { claims }), ...audit };
}
