import { createHash } from 'node:crypto';
import stableStringify from 'safe-stable-stringify';
import type { CarrelConfig } from '../config/config.js';
import { CarrelError } from '../shared/errors.js';
import { newId, THREAD_ID_PATTERN, type ThreadId } from '../shared/ids.js';
import { whyNotPlainJson, type JsonObject, type JsonValue } from '../shared/json.js';
import type { PipelineSpec } from './pipeline/pipeline-spec.js';
import type { OnConflict } from './run-store.port.js';

/** What a caller asks for: an agent or a pipeline. Nothing in it can name a user. */
export interface RunRequest {
  agent?: string;
  /** A pipeline of this server by name, or a whole one. */
  pipeline?: string | PipelineSpec;
  input: unknown;
  /** One of the caller's threads; it is made if there is none of that id. @default a new one */
  threadId?: string;
  /** Plain data that the run's context carries. */
  metadata?: unknown;
  /** The same key with the same request gives the same run. */
  idempotencyKey?: string;
  /** Its place among the caller's waiting runs, from -10 to 10: higher ones go first. @default 0 */
  priority?: number;
  /** It begins this much later at the earliest; at most 31 days. @default 0 */
  delayMs?: number;
  /** What becomes of it when its thread has a run that has not ended. @default 'enqueue' */
  onConflict?: OnConflict;
}

/** What carries a run out. */
export type RunTarget = { agent: string } | { pipeline: string | PipelineSpec };

/** Facts that the context has as fields of its own; metadata that looked like them would be believed by somebody. */
const RESERVED_METADATA = new Set([
  'userId',
  'user_id',
  'threadId',
  'thread_id',
  'runId',
  'run_id',
  'requestId',
  'request_id',
  'parentRunId',
  'roles',
  'claims',
  'attempt',
  'depth',
  'operations',
  'audit',
  'correlationId',
  'createdAt',
  'created_at',
  'deadline',
  'signal',
]);
const MAX_IDEMPOTENCY_KEY_LENGTH = 255;
export const MAX_PRIORITY = 10;
export const MAX_DELAY_MS = 31 * 24 * 60 * 60 * 1_000;
export const ON_CONFLICT: readonly OnConflict[] = ['enqueue', 'reject', 'interrupt'];

/** @throws CarrelError `invalid_request` */
export function targetOf({ agent, pipeline }: RunRequest): RunTarget {
  if ((agent === undefined) === (pipeline === undefined)) {
    throw new CarrelError('invalid_request', 'either agent or pipeline must be given, and not both');
  }
  if (typeof agent === 'string') return { agent };
  if (agent !== undefined) throw new CarrelError('invalid_request', 'agent must be the name of an agent');
  if (typeof pipeline === 'string') return { pipeline };
  if (!isObject(pipeline)) {
    throw new CarrelError('invalid_request', 'pipeline must be the name of a pipeline, or a pipeline as an object');
  }
  return { pipeline };
}

/** @throws CarrelError `invalid_request` */
export function priorityOf({ priority = 0 }: RunRequest): number {
  if (isIntegerWithin(priority, -MAX_PRIORITY, MAX_PRIORITY)) return priority + 0; // not -0
  throw new CarrelError('invalid_request', `priority must be an integer from -${MAX_PRIORITY} to ${MAX_PRIORITY}`);
}

/** @throws CarrelError `invalid_request` */
export function delayOf({ delayMs = 0 }: RunRequest): number {
  if (isIntegerWithin(delayMs, 0, MAX_DELAY_MS)) return delayMs;
  throw new CarrelError('invalid_request', `delayMs must be an integer from 0 to ${MAX_DELAY_MS} (31 days)`);
}

/** @throws CarrelError `invalid_request` */
export function conflictPolicyOf({ onConflict = 'enqueue' }: RunRequest): OnConflict {
  if (ON_CONFLICT.includes(onConflict)) return onConflict;
  throw new CarrelError('invalid_request', `onConflict must be one of ${ON_CONFLICT.join(', ')}`);
}

/** The same for two requests exactly when they ask for the same run. */
export function fingerprintOf(request: RunRequest): string {
  const { agent, input, threadId, metadata, pipeline } = request;
  const facts: unknown[] = [agent ?? null, input, threadId ?? null, metadata ?? null];
  const rest = {
    pipeline,
    priority: request.priority || undefined,
    delayMs: request.delayMs || undefined,
    onConflict: request.onConflict === 'enqueue' ? undefined : request.onConflict,
  };
  // keys that were used before there was any of these still name the same request
  if (Object.values(rest).some((fact) => fact !== undefined)) facts.push(rest);
  return createHash('sha256')
    .update(stableStringify(facts) ?? '')
    .digest('base64url');
}

/** @throws CarrelError `invalid_input` for what is no plain, bounded data */
export function plainInput(input: unknown, config: CarrelConfig): JsonValue {
  const bounds = { maxBytes: config.http.bodyLimitBytes, maxDepth: config.limits.jsonDepth };
  const reason = whyNotPlainJson(input, 'input', bounds);
  if (reason) throw new CarrelError('invalid_input', reason);
  return input as JsonValue;
}

/** @throws CarrelError `invalid_request` naming what is wrong with it */
export function plainMetadata(metadata: unknown, config: CarrelConfig): JsonObject {
  if (metadata === undefined) return {};
  const bounds = { maxBytes: config.limits.metadataBytes, maxDepth: config.limits.jsonDepth };
  const reason = isObject(metadata) ? whyNotPlainJson(metadata, 'metadata', bounds) : 'metadata must be an object';
  if (reason) throw new CarrelError('invalid_request', reason);
  const reserved = Object.keys(metadata as object).find((key) => RESERVED_METADATA.has(key));
  if (reserved) throw new CarrelError('invalid_request', `metadata must not have the reserved key "${reserved}"`);
  return metadata as JsonObject;
}

/** @throws CarrelError `invalid_request` */
export function threadIdOf(threadId: string | undefined): ThreadId {
  if (threadId === undefined) return newId('thr');
  if (typeof threadId === 'string' && THREAD_ID_PATTERN.test(threadId)) return threadId as ThreadId;
  throw new CarrelError(
    'invalid_request',
    'threadId must be 1 to 128 letters, digits or . _ : - and begin with a letter or digit',
  );
}

/** @throws CarrelError `invalid_request` */
export function checkedIdempotencyKey(key: string | undefined): string | undefined {
  const fits = key === undefined || (key.length > 0 && key.length <= MAX_IDEMPOTENCY_KEY_LENGTH && isStorable(key));
  if (fits) return key;
  throw new CarrelError(
    'invalid_request',
    `an idempotency key must have 1 to ${MAX_IDEMPOTENCY_KEY_LENGTH} characters`,
  );
}

/** Half a surrogate pair can't be stored: two keys would become the same one. Nor can U+0000 in a text of PostgreSQL's. */
function isStorable(text: string): boolean {
  return text.isWellFormed() && !text.includes('\u0000');
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isIntegerWithin(value: unknown, min: number, max: number): value is number {
  return Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max;
}
