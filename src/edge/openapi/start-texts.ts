import { MAX_WAIT_SECONDS } from '../prefer-wait.js';

const START_HEADERS = {
  Location: 'The path of the run.',
  'Preference-Applied': 'How long the server was prepared to wait.',
  'Idempotency-Replayed': '`true` when the key named a run that was there already.',
};

/** What every door that starts a run answers. */
export const START_ANSWERS = {
  202: {
    description: 'It is accepted, and survives anything.',
    schema: 'Run',
    example: 'QueuedRun',
    headers: START_HEADERS,
  },
  200: { description: 'It ended while the caller waited (`Prefer: wait`).', schema: 'Run', headers: START_HEADERS },
};

export const START_PROBLEMS = [
  'invalid_request',
  'invalid_input',
  'unknown_agent',
  'unknown_pipeline',
  'invalid_pipeline',
  'idempotency_conflict',
  'thread_busy',
  'payload_too_large',
  'unsupported_media_type',
  'queue_full',
  'rate_limited',
  'draining',
] as const;
export const IDEMPOTENCY_KEY = {
  name: 'Idempotency-Key',
  description: 'The same key with the same request gives the same run, for a day at least.',
  schema: { type: 'string', minLength: 1, maxLength: 255 },
} as const;
export const PREFER = {
  name: 'Prefer',
  description: `\`wait=10\`: answer with the result if there is one within so many seconds, at most ${MAX_WAIT_SECONDS} (RFC 7240).`,
  example: 'wait=10',
};
