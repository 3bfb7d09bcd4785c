import { CarrelError } from '../shared/errors.js';

/** Thrown by an agent: trying again would not help. The message is shown to the user. */
export class TerminalError extends CarrelError {
  constructor(message: string, options: { cause?: unknown } = {}) {
    super('agent_failed', message, { ...options, retryable: false });
  }
}

/** Thrown by an agent: trying again may help, at the earliest after `retryAfterMs`. The message is shown to the user. */
export class RetryableError extends CarrelError {
  constructor(message: string, options: { cause?: unknown; retryAfterMs?: number } = {}) {
    super('agent_failed', message, { ...options, retryable: true });
  }
}
