import type { IncomingHttpHeaders } from 'node:http';
import { UserExecutionContext } from '../context/user-execution-context.js';
import { newId, type RequestId } from '../shared/ids.js';
import type { Identity } from './identity.js';

/** What a request or a handshake says about itself, as it came. For the log and the audit trail only. */
export interface RequestFacts {
  readonly requestId?: string | string[];
  /** W3C Trace Context. */
  readonly traceparent?: string | string[];
  readonly userAgent?: string;
  readonly clientIp?: string;
}

const REQUEST_ID_PATTERN = /^[\w.-]{1,128}$/;
const TRACEPARENT_PATTERN = /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-|$)/;
/** Of version 00; what later versions add is not for us. */
const TRACEPARENT_LENGTH = 55;
const MAX_USER_AGENT_LENGTH = 256;

/** The facts in the headers of a request or a handshake. */
export function factsOf(headers: IncomingHttpHeaders, clientIp?: string): RequestFacts {
  return {
    requestId: headers['x-request-id'],
    traceparent: headers['traceparent'],
    userAgent: headers['user-agent'],
    clientIp,
  };
}

/** The context of whoever the token names, for one request or one socket. What came malformed is left out. */
export function buildRequestContext(
  identity: Identity,
  facts: RequestFacts,
  nowMs: number,
  requestId = requestIdFrom(facts.requestId),
): UserExecutionContext {
  return new UserExecutionContext({
    userId: identity.userId,
    roles: identity.roles,
    claims: identity.claims,
    requestId,
    createdAtMs: nowMs,
    audit: {
      clientIp: facts.clientIp,
      userAgent: facts.userAgent?.slice(0, MAX_USER_AGENT_LENGTH),
      ...traceFrom(facts.traceparent),
    },
  });
}

/** The caller's own request id when it is well-formed, else a new one. */
export function requestIdFrom(given: string | string[] | undefined): RequestId {
  return typeof given === 'string' && REQUEST_ID_PATTERN.test(given) ? (given as RequestId) : newId('req');
}

function traceFrom(given: string | string[] | undefined): { traceId?: string; traceparent?: string } {
  const traceId = typeof given === 'string' ? TRACEPARENT_PATTERN.exec(given)?.[1] : undefined;
  return traceId === undefined ? {} : { traceId, traceparent: (given as string).slice(0, TRACEPARENT_LENGTH) };
}
