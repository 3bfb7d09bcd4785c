import { APICallError } from '@ai-sdk/provider';
import { cutText, REDACTED } from '../../events/redaction.js';
import { CarrelError, isCarrelError } from '../../shared/errors.js';

const MAX_REASON_CHARS = 500;
/** Shorter texts are no secrets, and would take pieces out of every message. */
const MIN_SECRET_CHARS = 6;

/** The answer did not come to its end. */
export class ModelBrokeOff extends Error {
  override readonly name = 'ModelBrokeOff';
}

/** What the log gets of a provider's error: never the request, which is the user's prompt, nor headers. */
class ProviderProblem extends Error {
  override readonly name = 'ProviderProblem';

  constructor(
    message: string,
    readonly statusCode: number | undefined,
  ) {
    super(message);
  }
}

/** Which model has failed, and what must not be said about it. */
interface FailedModel {
  /** By the name that agents use. */
  readonly name: string;
  /** Keys and headers that the provider was given. */
  readonly secrets: readonly string[];
}

/**
 * What a failed call means: `model_failed` may be tried again (after `retryAfterMs`, if the provider says so),
 * `model_refused` may not. Errors of ours go on as they are.
 *
 * @param nowMs for waiting times that providers give as a date
 */
export function modelFailure(error: unknown, { name, secrets }: FailedModel, nowMs: number): CarrelError {
  if (isCarrelError(error)) return error;
  const statusCode = APICallError.isInstance(error) ? error.statusCode : undefined;
  const said = error instanceof Error ? error.message : String(error);
  const cause = new ProviderProblem(cutText(without(secrets, said), MAX_REASON_CHARS), statusCode);
  const status = statusCode === undefined || statusCode === 200 ? '' : ` (HTTP ${statusCode})`;
  if (!isTransient(error)) {
    return new CarrelError('model_refused', `The provider of the model "${name}" refuses the request${status}`, {
      cause,
    });
  }
  const what = statusCode === 200 || error instanceof ModelBrokeOff ? 'broke off' : 'did not answer';
  const options = { cause, retryAfterMs: retryAfterMs(error, nowMs) };
  return new CarrelError('model_failed', `The model "${name}" ${what}${status}`, options);
}

/** Broken networks and streams, busy and failing servers; not what would be answered in the same way again. */
function isTransient(error: unknown): boolean {
  if (APICallError.isInstance(error)) return error.isRetryable || isBrokenConnection(error.cause);
  if (error instanceof ModelBrokeOff || isBrokenConnection(error)) return true;
  return TRANSIENT_NAMES.has((error as Error | null)?.name ?? '');
}

/** As Node's fetch reports it, when the provider's package lets it through. */
function isBrokenConnection(error: unknown): boolean {
  const { name, message, code, cause } = (error ?? {}) as {
    name?: string;
    message?: string;
    code?: unknown;
    cause?: unknown;
  };
  if (name === 'TypeError' && (message === 'terminated' || message === 'fetch failed')) return true;
  const reason = code ?? (cause as { code?: unknown } | undefined)?.code;
  return typeof reason === 'string' && /^(ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOST|ENET|UND_ERR_)/.test(reason);
}

/** Providers' names for a stream that ends too early, or is none. */
const TRANSIENT_NAMES = new Set([
  'AI_InvalidResponseDataError',
  'AI_EmptyResponseBodyError',
  'AI_NoContentGeneratedError',
]);

/** How long the provider wants to be left alone: `retry-after-ms`, or `retry-after` in seconds or as a date. */
function retryAfterMs(error: unknown, nowMs: number): number | undefined {
  if (!APICallError.isInstance(error)) return undefined;
  const { 'retry-after-ms': ms, 'retry-after': after } = error.responseHeaders ?? {};
  if (ms !== undefined && Number.isFinite(Number(ms))) return Math.max(0, Number(ms));
  if (after === undefined) return undefined;
  const waitMs = Number.isFinite(Number(after)) ? Number(after) * 1_000 : Date.parse(after) - nowMs;
  return Number.isFinite(waitMs) ? Math.max(0, waitMs) : undefined;
}

function without(secrets: readonly string[], text: string): string {
  return secrets
    .filter(({ length }) => length >= MIN_SECRET_CHARS)
    .reduce((rest, secret) => rest.replaceAll(secret, REDACTED), text);
}
