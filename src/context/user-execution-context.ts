import type { RequestId, RunId, ThreadId, UserId } from '../shared/ids.js';
import { frozenCopy, type JsonObject } from '../shared/json.js';
import { CarrelError } from '../shared/errors.js';
import { StopSwitch } from './stop-switch.js';

/** Contexts nest at most this deep: a run that spawns runs that spawn runs is a bug long before. */
export const MAX_CONTEXT_DEPTH = 10;

/** Facts about where a request came from; for the log and the audit trail, never for decisions. */
export interface AuditFacts {
  readonly clientIp?: string;
  readonly userAgent?: string;
  readonly traceId?: string;
  /** W3C Trace Context: what goes on with the trace has this as its parent. */
  readonly traceparent?: string;
}

export interface UserExecutionContextFields {
  userId: UserId;
  requestId: RequestId;
  roles?: readonly string[];
  /** Claims of the token that the configuration asks for. */
  claims?: Readonly<Record<string, string>>;
  threadId?: ThreadId;
  runId?: RunId;
  parentRunId?: RunId;
  /** Names of the operations that led here, outermost first. */
  operations?: readonly string[];
  attempt?: number;
  /** Milliseconds since the Unix epoch. */
  createdAtMs: number;
  deadlineMs?: number;
  signal?: AbortSignal | StopSwitch;
  metadata?: JsonObject;
  audit?: AuditFacts;
}

/**
 * Who asks, for which run, until when. An immutable value: nothing that is reachable from it can be changed, so that it
 * can be handed to anything that works for this user without a copy. Results travel on their own channel.
 *
 * Inject it into any request-scoped provider: in an HTTP request it is the request's (without a run), in an agent and
 * whatever an agent injects it is the run's.
 */
export class UserExecutionContext {
  readonly userId: UserId;
  readonly requestId: RequestId;
  readonly roles: readonly string[];
  /** Those claims of the token that placeholders of `mcp.json` ask for, as texts. May be secret: never logged or shown. */
  readonly claims: Readonly<Record<string, string>>;
  readonly threadId: ThreadId | undefined;
  readonly runId: RunId | undefined;
  readonly parentRunId: RunId | undefined;
  readonly operations: readonly string[];
  /** Number of the attempt, from 1; 0 outside a run. */
  readonly attempt: number;
  readonly metadata: JsonObject;
  readonly audit: AuditFacts;
  readonly #createdAtMs: number;
  readonly #deadlineMs: number | undefined;
  readonly #stop: StopSwitch;

  constructor(fields: UserExecutionContextFields) {
    this.userId = fields.userId;
    this.requestId = fields.requestId;
    this.roles = frozenList(fields.roles);
    this.claims = frozenValue(fields.claims);
    this.threadId = fields.threadId;
    this.runId = fields.runId;
    this.parentRunId = fields.parentRunId;
    this.operations = frozenList(fields.operations);
    this.attempt = fields.attempt ?? 0;
    this.metadata = frozenValue(fields.metadata);
    this.audit = frozenFacts(fields.audit);
    this.#createdAtMs = fields.createdAtMs;
    this.#deadlineMs = fields.deadlineMs;
    this.#stop = fields.signal instanceof StopSwitch ? fields.signal : new StopSwitch(fields.signal);
    if (this.depth > MAX_CONTEXT_DEPTH) {
      throw new CarrelError(
        'invalid_request',
        `contexts nest at most ${MAX_CONTEXT_DEPTH} deep: ${this.operations.join(' > ')}`,
      );
    }
    Object.freeze(this);
  }

  /** How many operations deep this context is; 0 for a request or a run that a user asked for. */
  get depth(): number {
    return this.operations.length;
  }

  /** A new `Date` at every call, since a `Date` itself can't be frozen. */
  get createdAt(): Date {
    return new Date(this.#createdAtMs);
  }

  /** When the work must have ended; undefined when nothing limits it. */
  get deadline(): Date | undefined {
    return this.#deadlineMs === undefined ? undefined : new Date(this.#deadlineMs);
  }

  /** Aborted when the work is to stop. Made when it is first asked for. */
  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  /** Throws the signal's reason once it is aborted, without there having to be a signal. */
  throwIfStopped(): void {
    this.#stop.throwIfAborted();
  }

  /** Calls `listener`, which must not throw, once the work is to stop; the returned function takes it back. */
  onStop(listener: (reason: unknown) => void): () => void {
    return this.#stop.onStop(listener);
  }

  get isStopped(): boolean {
    return this.#stop.aborted;
  }

  /** Short and the same for everything that belongs together: the ends of user, thread, run and request id. */
  get correlationId(): string {
    return [this.userId, this.threadId, this.runId, this.requestId].map((id) => id?.slice(-8) ?? '-').join(':');
  }

  /**
   * The context of an operation inside this one: same user, one deeper. What is given replaces this context's own.
   *
   * @throws CarrelError `invalid_request` beyond `MAX_CONTEXT_DEPTH`
   */
  child(
    operation: string,
    change: Partial<Pick<UserExecutionContextFields, 'runId' | 'deadlineMs' | 'signal' | 'metadata'>> = {},
  ) {
    const startsRun = change.runId !== undefined && change.runId !== this.runId;
    return this.with({
      ...change,
      operations: [...this.operations, operation],
      parentRunId: startsRun ? this.runId : this.parentRunId,
      attempt: startsRun ? 1 : this.attempt,
    });
  }

  /** The context of another attempt of the same run. */
  forAttempt(attempt: number, signal: AbortSignal | StopSwitch): UserExecutionContext {
    return this.with({ attempt, signal });
  }

  /** The same within a span of a trace. */
  traced({ traceId, traceparent }: { readonly traceId: string; readonly traceparent: string }): UserExecutionContext {
    return this.with({ audit: { ...this.audit, traceId, traceparent } });
  }

  /** What may be logged or shown to the user: no signal, no metadata values, no claims. */
  toJSON(): JsonObject {
    return {
      userId: this.userId,
      requestId: this.requestId,
      roles: this.roles,
      threadId: this.threadId,
      runId: this.runId,
      parentRunId: this.parentRunId,
      operations: this.operations,
      depth: this.depth,
      attempt: this.attempt,
      createdAt: this.createdAt.toISOString(),
      deadline: this.deadline?.toISOString(),
      correlationId: this.correlationId,
      metadataKeys: Object.keys(this.metadata),
    };
  }

  private with(change: Partial<UserExecutionContextFields>): UserExecutionContext {
    return new UserExecutionContext({
      userId: this.userId,
      requestId: this.requestId,
      roles: this.roles,
      claims: this.claims,
      threadId: this.threadId,
      runId: this.runId,
      parentRunId: this.parentRunId,
      operations: this.operations,
      attempt: this.attempt,
      createdAtMs: this.#createdAtMs,
      deadlineMs: this.#deadlineMs,
      signal: this.#stop,
      metadata: this.metadata,
      audit: this.audit,
      ...change,
    });
  }
}

const EMPTY_LIST: readonly never[] = Object.freeze([]);
const EMPTY_OBJECT = Object.freeze({});

function frozenList(list: readonly string[] | undefined): readonly string[] {
  if (!list?.length) return EMPTY_LIST;
  return Object.isFrozen(list) ? list : Object.freeze([...list]);
}

/** Flat: nothing in it needs a deep copy. */
function frozenFacts(facts: AuditFacts = EMPTY_OBJECT): AuditFacts {
  return Object.isFrozen(facts) ? facts : Object.freeze({ ...facts });
}

/** Copies and freezes; what is empty or was frozen by another context is shared, for a run makes several contexts. */
function frozenValue<T extends object>(value: T | undefined): T {
  if (value === undefined) return EMPTY_OBJECT as T;
  return isDeeplyFrozen.has(value) ? value : remember(frozenCopy(value));
}

const isDeeplyFrozen = new WeakSet<object>();

function remember<T extends object>(value: T): T {
  isDeeplyFrozen.add(value);
  return value;
}
