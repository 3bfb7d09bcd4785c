import { Logger } from '@nestjs/common';
import type { RunError } from '../events/run-error.js';
import { cutText } from '../events/redaction.js';
import { ERRORS, isCarrelError } from '../shared/errors.js';
import { newId } from '../shared/ids.js';

const MAX_MESSAGE_LENGTH = 1_000;
const logger = new Logger('Run');

/**
 * What the owner of a run is told about an error. Errors of ours speak for themselves; of anything else the user sees a
 * fixed text and a support code, under which the log has the details.
 */
export function toRunError(error: unknown, { agent, attempt }: { agent: string; attempt: number }): RunError {
  const supportCode = newId('sup');
  const facts = { agent, attempt }; // a whole run would bring its input along, which is nobody's business in the log
  if (isCarrelError(error)) {
    if (error.cause !== undefined) logger.warn({ ...facts, supportCode, err: error }, error.message);
    return {
      code: error.code,
      message: cutText(error.message, MAX_MESSAGE_LENGTH),
      supportCode,
      retryable: error.retryable,
      details: error.details,
    };
  }
  logger.error({ ...facts, supportCode, err: error instanceof Error ? error : { thrown: error } }, 'the agent threw');
  return { code: 'agent_failed', message: ERRORS.agent_failed.title, supportCode, retryable: true };
}
