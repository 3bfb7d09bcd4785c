import { z } from 'zod';
import type { Ask } from '../agents/agent-run.js';
import type { CarrelConfig } from '../config/config.js';
import { CarrelError } from '../shared/errors.js';
import { whyNotPlainJson, type JsonObject, type JsonValue } from '../shared/json.js';
import { whyNotAnswerSchema } from './approval-schema.js';

const MAX_TITLE_LENGTH = 300;
const MAX_APPROVERS = 20;
/** As long as a timer of the store can be asked to wait: about ten years. */
const MAX_EXPIRY_MS = 10 * 365 * 24 * 60 * 60 * 1_000;

const ASK = z.strictObject({
  kind: z.enum(['approval', 'question']),
  title: z.string().trim().min(1).max(MAX_TITLE_LENGTH),
  details: z.unknown().optional(),
  schema: z.record(z.string(), z.unknown()).optional(),
  expiresInMs: z.number().positive().max(MAX_EXPIRY_MS).optional(),
  approvers: z.array(z.string().min(1).max(128)).max(MAX_APPROVERS).optional(),
});

/** What an agent asks, with everything that it left open. */
export interface CheckedAsk {
  kind: Ask['kind'];
  title: string;
  details?: JsonValue;
  schema?: JsonObject;
  approvers: readonly string[];
  expiresInMs: number;
}

/** @throws CarrelError `agent_failed`, not to be tried again, that says what is wrong with the question */
export function checkedAsk(ask: Ask, config: CarrelConfig): CheckedAsk {
  const parsed = ASK.safeParse(ask);
  if (!parsed.success) throw wrong(z.prettifyError(parsed.error));
  const { kind, title, expiresInMs = config.runs.approvalTtlMs, approvers = [] } = parsed.data;
  const bounds = { maxBytes: config.limits.eventDataBytes, maxDepth: config.limits.jsonDepth };
  const { details, schema } = ask;
  const reason =
    (details === undefined ? undefined : whyNotPlainJson(details, 'details', bounds)) ??
    (schema === undefined ? undefined : (whyNotPlainJson(schema, 'schema', bounds) ?? whyNotAnswerSchema(schema)));
  if (reason) throw wrong(reason);
  return { kind, title, details, schema, approvers: [...new Set(approvers)].toSorted(), expiresInMs };
}

function wrong(reason: string): CarrelError {
  return new CarrelError('agent_failed', `the question can't be asked: ${reason}`, { retryable: false });
}
