import { createHash } from 'node:crypto';
import stableStringify from 'safe-stable-stringify';
import type { NewApproval } from '../events/approval-record.js';
import type { RunId } from '../shared/ids.js';

/** Everything that is asked, and for which run and step. */
export interface AskedFacts extends Pick<NewApproval, 'kind' | 'title' | 'details' | 'schema' | 'approvers'> {
  readonly runId: RunId;
  /** Path of the step that asks. */
  readonly step: string;
}

/** Names exactly what is asked: whoever answers can say which question was on the screen. */
export function approvalHash({ runId, step, kind, title, details, schema, approvers }: AskedFacts): string {
  const text = stableStringify([runId, step, kind, title, details ?? null, schema ?? null, approvers]);
  return createHash('sha256').update(text).digest('hex');
}
