import type { HttpException } from '@nestjs/common';
import { CarrelError, isCarrelError, type ErrorCode } from '../shared/errors.js';

/** An error of a framework in our words, with the status that the framework gave it. */
export interface TranslatedError {
  error: CarrelError;
  status: number;
}

const CODE_OF_STATUS: Readonly<Record<number, ErrorCode>> = {
  401: 'unauthenticated',
  403: 'forbidden',
  404: 'not_found',
  405: 'method_not_allowed',
  413: 'payload_too_large',
  415: 'unsupported_media_type',
  422: 'invalid_input',
  429: 'rate_limited',
};

/** Texts for what Fastify refuses by itself: its own quote what was sent. */
const FASTIFY_TEXTS: Readonly<Record<string, string>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'the body is larger than this server takes (CARREL_BODY_LIMIT_BYTES)',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'the body must be application/json',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'the body is not as long as Content-Length says',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'the body is empty, though Content-Type announces JSON: send a body, or no Content-Type',
  FST_ERR_CTP_INVALID_JSON_BODY:
    'the body must be valid JSON, in UTF-8, not compressed, and without the keys __proto__ and constructor.prototype',
  ECONNRESET: 'the connection ended before the body did',
  FST_ERR_BAD_URL: 'the path is not validly encoded',
};

/** No id is that long. */
const TOO_LONG_FOR_AN_ID = 'FST_ERR_MAX_PARAM_LENGTH';

/**
 * An `HttpException` of Nest, or of somebody's own controller, keeps its status and its message below 500.
 * Undefined for a server fault: what such an error says is not meant for the user.
 */
export function errorOfHttpException(exception: HttpException): TranslatedError | undefined {
  const refused = errorOfFastify(exception.cause);
  if (refused) return refused;
  const status = exception.getStatus();
  if (status < 400 || status >= 500) return undefined;
  const code = CODE_OF_STATUS[status] ?? 'invalid_request';
  const issues = messagesOf(exception.getResponse()).map((message) => ({ path: '', message }));
  const details = issues.length > 0 ? { issues } : undefined;
  return { error: new CarrelError(code, exception.message, { cause: exception, details }), status };
}

/** What Fastify throws before a handler runs; undefined for anything else. */
export function errorOfFastify(thrown: unknown): TranslatedError | undefined {
  if (typeof thrown !== 'object' || thrown === null || isCarrelError(thrown)) return undefined;
  const { code, statusCode } = thrown as { code?: unknown; statusCode?: unknown };
  if (typeof code !== 'string' || typeof statusCode !== 'number' || statusCode >= 500) return undefined;
  if (code === TOO_LONG_FOR_AN_ID)
    return { error: new CarrelError('not_found', undefined, { cause: thrown }), status: 404 };
  const text = FASTIFY_TEXTS[code];
  if (!text) return undefined;
  return {
    error: new CarrelError(CODE_OF_STATUS[statusCode] ?? 'invalid_request', text, { cause: thrown }),
    status: statusCode,
  };
}

/** Nest's `ValidationPipe` answers with a list of messages. */
function messagesOf(response: string | object): string[] {
  const message = typeof response === 'object' && 'message' in response ? response.message : undefined;
  return Array.isArray(message) ? message.filter((item) => typeof item === 'string') : [];
}
