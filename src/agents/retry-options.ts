export interface RetryOptions {
  /** How many attempts in all. @default CARREL_RETRY_ATTEMPTS (3) */
  attempts?: number;
  /** The delay before the second attempt; doubled before each further one, with jitter. @default CARREL_RETRY_BASE_MS (2000) */
  baseDelayMs?: number;
}
