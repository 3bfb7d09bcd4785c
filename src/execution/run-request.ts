import type { CarrelConfig } from '../config/config.js';
import { CarrelError } from '../shared/errors.js';
import { newId, THREAD_ID_PATTERN, type ThreadId } from '../shared/ids.js';
import { whyNotPlainJson, type JsonObject, type JsonValue } from '../shared/json.js';

/** What a caller asks for. Nothing in it can name a user. */
export interface RunRequest {
  agent: string;
  input: unknown;
  /** One of the caller's threads; it is made if there is none of that id. @default a new one */
  threadId?: string;
  /** Plain data that the run's context carries. */
  metadata?: unknown;
  /** The same key with the same request gives the same run. */
  idempotencyKey?: string;
}

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
  'attempt',
  'depth',
  'createdAt',
  'created_at',
  'deadline',
  'signal',
]);
const MAX_IDEMPOTENCY_KEY_LENGTH = 255;

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
  // half a surrogate pair can't be stored: two keys would become the same one
  const fits = key === undefined || (key.length > 0 && key.length <= MAX_IDEMPOTENCY_KEY_LENGTH && key.isWellFormed());
  if (fits) return key;
  throw new CarrelError(
    'invalid_request',
    `an idempotency key must have 1 to ${MAX_IDEMPOTENCY_KEY_LENGTH} characters`,
  );
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
