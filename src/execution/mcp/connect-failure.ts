import { ProtocolError, SdkError, SdkErrorCode, SdkHttpError } from '@modelcontextprotocol/client';
import { CarrelError, isCarrelError } from '../../shared/errors.js';

/** Why a server can't be connected to, as the end of a sentence about it; what the SDK says itself is the cause, for the log. */
export function connectFailure(error: unknown): CarrelError {
  if (isCarrelError(error)) return error;
  return new CarrelError('mcp_unavailable', phraseOf(error), { cause: withoutAnswer(error) });
}

/** An error for the log, without what the server has answered: that may repeat what it was given, and be of any length. */
export function withoutAnswer(error: unknown): unknown {
  if (error instanceof SdkHttpError) return new Error(`HTTP ${error.status}`);
  return error instanceof ProtocolError ? new Error(`JSON-RPC error ${error.code}`) : error;
}

function phraseOf(error: unknown): string {
  if (error instanceof SdkHttpError) return `it answered with HTTP ${error.status}`;
  if (error instanceof SdkError && error.code === SdkErrorCode.RequestTimeout) return 'it did not answer in time';
  return 'it does not answer as an MCP server should';
}
