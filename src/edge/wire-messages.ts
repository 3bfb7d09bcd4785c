import { z } from 'zod';
import { ON_CONFLICT } from '../execution/run-request.js';
import { CarrelError } from '../shared/errors.js';
import { ANSWERS } from './wire-choices.js';
import type {
  ApprovalRespondMessage,
  HandshakeAuth,
  RunCancelMessage,
  RunResumeMessage,
  RunStartMessage,
  StreamResumeMessage,
} from './wire-events.js';

const POSITION = 'must be the seq of an event, or 0';

/** A `seq` that a client has, or 0. */
const position = z.int(POSITION).min(0, POSITION);

/** `auth` of a handshake. */
export const HANDSHAKE_AUTH: z.ZodType<HandshakeAuth> = z.strictObject({
  token: z.string(),
  after: position.optional(),
});

/** Nothing is copied, and nothing looked into: what a pipeline may be is the execution's to say. */
const pipeline = z.custom<RunStartMessage['pipeline']>(
  (value) => typeof value === 'string' || (typeof value === 'object' && value !== null),
  'must be the name of a pipeline, or a whole one',
);

/** What the messages of clients look like. What an input, a thread id or metadata may be is the execution's to say. */
export const RUN_START: z.ZodType<RunStartMessage> = z.strictObject({
  agent: z.string().optional(),
  pipeline: pipeline.optional(),
  input: z.unknown(),
  threadId: z.string().optional(),
  metadata: z.unknown().optional(),
  idempotencyKey: z.string().optional(),
  priority: z.int('must be a whole number').optional(),
  delayMs: z.int('must be a whole number').optional(),
  onConflict: z.enum(ON_CONFLICT).optional(),
  traceparent: z.string().optional(),
});
export const RUN_CANCEL: z.ZodType<RunCancelMessage> = z.strictObject({
  runId: z.string(),
  wait: z.boolean().optional(),
});

const decided = { decision: z.enum(ANSWERS), answer: z.unknown().optional() };
export const RUN_RESUME: z.ZodType<RunResumeMessage> = z.strictObject({
  runId: z.string(),
  approvalId: z.string().optional(),
  ...decided,
});
export const APPROVAL_RESPOND: z.ZodType<ApprovalRespondMessage> = z.strictObject({
  approvalId: z.string(),
  ...decided,
  hash: z.string().optional(),
});
export const STREAM_RESUME: z.ZodType<StreamResumeMessage> = z.strictObject({ after: position });

/** Names of properties come from the client, so that a text about them could be as long as the message. */
const MAX_TEXT_LENGTH = 200;
const MAX_ISSUES = 10;

/**
 * What a client sent, if it is what `schema` says and nothing else.
 *
 * @param name what it is called in the error's message
 * @throws CarrelError `invalid_request`, with `issues` that name each property
 */
export function parsePayload<Output>(schema: z.ZodType<Output>, payload: unknown, name: string): Output {
  if (ArrayBuffer.isView(payload)) throw new CarrelError('invalid_request', `${name}: a payload can't be binary`);
  const parsed = schema.safeParse(payload, { error: textOf });
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.slice(0, MAX_ISSUES).map(({ path, message }) => ({
    path: path.join('.'),
    message: message.slice(0, MAX_TEXT_LENGTH),
  }));
  const text = issues.map(({ path, message }) => (path ? `${path} ${message}` : message)).join('; ');
  throw new CarrelError('invalid_request', `${name}: ${text}`, { details: { issues } });
}

/** What people are told of what a client's program sent; undefined: what the schema says itself. */
function textOf(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.code === 'unrecognized_keys') return `not known: ${issue.keys.map((key) => `"${key}"`).join(', ')}`;
  if (issue.code !== 'invalid_type') return undefined;
  if (issue.path?.length === 0) return 'the payload must be an object';
  return issue.input === undefined ? 'must be given' : `must be a ${issue.expected}`;
}
