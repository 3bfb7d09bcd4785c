import {
  ProtocolError,
  SdkError,
  SdkErrorCode,
  SdkHttpError,
  UrlElicitationRequiredError,
} from '@modelcontextprotocol/client';
import type { ToolRef } from '../../../agents/tools/tool-definition.js';
import { CarrelError, isCarrelError } from '../../../shared/errors.js';
import { withoutAnswer } from '../connect-failure.js';
import { failed } from './tool-answer.js';

/** What has become of a request that has failed; what the SDK says itself is the cause, for the log. */
export function callFailure(error: unknown, ref: ToolRef): CarrelError {
  if (isCarrelError(error)) return error;
  if (error instanceof UrlElicitationRequiredError) {
    return failed(ref, `"${ref.tool}" of "${ref.server}" wants a page to be opened first, which can not be done here`);
  }
  if (error instanceof ProtocolError) return failed(ref, error.message);
  if (isNoResult(error)) {
    const text = `"${ref.tool}" of "${ref.server}" answered what is no result of a tool`;
    return new CarrelError('invalid_tool_result', text, { cause: error });
  }
  return new CarrelError('mcp_unavailable', `the MCP server "${ref.server}" can not be used: ${phraseOf(error)}`, {
    cause: withoutAnswer(error),
    details: { server: ref.server },
  });
}

/** The connection is of no use any more: without an answer, or without a session. */
export function isConnectionLost(error: unknown): boolean {
  if (isCarrelError(error) || error instanceof ProtocolError || isNoResult(error)) return false;
  if (error instanceof SdkHttpError) return error.status === 404 || error.status === 400;
  return !(error instanceof SdkError) || error.code !== SdkErrorCode.RequestTimeout;
}

function isNoResult(error: unknown): boolean {
  return (
    error instanceof SdkError &&
    (error.code === SdkErrorCode.InvalidResult || error.code === SdkErrorCode.UnsupportedResultType)
  );
}

function phraseOf(error: unknown): string {
  if (error instanceof SdkHttpError) return `it answered with HTTP ${error.status}`;
  if (error instanceof SdkError && error.code === SdkErrorCode.RequestTimeout) return 'it did not answer in time';
  return 'the connection was lost';
}
