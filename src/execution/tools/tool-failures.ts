import type { ToolRef, UsableTool } from '../../agents/tools/tool-definition.js';
import { CarrelError, isCarrelError } from '../../shared/errors.js';
import type { InputIssue } from '../../agents/input-reader.js';

/** More than a person reads. */
const MAX_ISSUES = 20;

export function invalidArguments({ tool }: ToolRef, issues: readonly InputIssue[]): CarrelError {
  const details = { issues: issues.slice(0, MAX_ISSUES).map(({ path, message }) => ({ path, message })) };
  return new CarrelError('invalid_arguments', `The arguments do not fit "${tool}": ${reasonOf(issues)}`, { details });
}

export function invalidResult({ tool }: ToolRef, issues: readonly InputIssue[]): CarrelError {
  return new CarrelError('invalid_tool_result', `"${tool}" did not answer as it promised: ${reasonOf(issues)}`);
}

export function tooLarge({ tool }: ToolRef, bytes: number, maxBytes: number): CarrelError {
  const text = `"${tool}" answered with ${bytes} bytes; at most ${maxBytes} are taken (CARREL_TOOL_RESULT_BYTES)`;
  return new CarrelError('tool_result_too_large', text);
}

export function declined({ tool }: ToolRef, isExpired: boolean): CarrelError {
  const why = isExpired ? 'nobody approved it in time' : 'it was not approved';
  return new CarrelError('tool_declined', `"${tool}" was not called: ${why}`);
}

/** Of what must be done once nobody knows how much was done, so that no other attempt may do it again. */
export function timedOut({ tool, effect }: UsableTool, limitMs: number): CarrelError {
  const text = `"${tool}" took longer than it may (${limitMs} ms)`;
  return new CarrelError('tool_timed_out', text, { retryable: effect !== 'once' });
}

/**
 * What a tool, or its source, has thrown in the middle of a call. What an error of ours says may be said; anything else is
 * for the log. That a call which must be made once may be made again is for the tool to say, and nobody else.
 */
export function failureOf({ tool, effect }: UsableTool, cause: unknown): CarrelError {
  if (!isCarrelError(cause)) return new CarrelError('tool_failed', `"${tool}" failed`, { cause });
  const { code, message, retryAfterMs, details } = cause;
  const isItsOwn = code === 'agent_failed' || code === 'tool_failed';
  const retryable = cause.retryable && (isItsOwn || effect !== 'once');
  if (code !== 'agent_failed' && retryable === cause.retryable) return cause;
  return new CarrelError(isItsOwn ? 'tool_failed' : code, message, { cause, retryable, retryAfterMs, details });
}

function reasonOf(issues: readonly InputIssue[]): string {
  const [first] = issues;
  const more = issues.length > 1 ? ` (and ${issues.length - 1} more)` : '';
  return [first?.path, first?.message].filter(Boolean).join(': ') + more;
}
