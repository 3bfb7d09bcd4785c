import type { InputIssue } from '../agents/input-reader.js';
import type { ApprovalRecord } from '../events/approval-record.js';
import { CarrelError } from '../shared/errors.js';
import { whyNotPlainJson, type JsonBounds, type JsonValue } from '../shared/json.js';
import { answerIssues } from './approval-schema.js';
import type { Decision } from './approval-store.port.js';

/** What somebody says to a question: an approval is approved or rejected, a question answered or declined. */
export interface ApprovalResponse {
  decision: 'approve' | 'reject' | 'answer' | 'decline';
  answer?: unknown;
  /** The `hash` of what the decider saw: an answer to anything else is refused. */
  hash?: string;
}

const DECISIONS = {
  approval: { approve: 'approved', reject: 'rejected' },
  question: { answer: 'answered', decline: 'declined' },
} as const satisfies Record<
  ApprovalRecord['kind'],
  Partial<Record<ApprovalResponse['decision'], Decision['decision']>>
>;

/**
 * A response as the decision that it is.
 *
 * @throws CarrelError `invalid_answer`, with `details.issues`, when it does not fit what was asked
 */
export function readResponse(approval: ApprovalRecord, response: ApprovalResponse, bounds: JsonBounds): Decision {
  const words: Partial<Record<string, Decision['decision']>> = DECISIONS[approval.kind];
  const decision = Object.hasOwn(words, response.decision) ? words[response.decision] : undefined;
  if (!decision) {
    const message = `${aKind(approval)} takes ${Object.keys(words).join(' or ')}`;
    throw invalid([{ path: 'decision', message }]);
  }
  const issues = issuesOf(approval, decision, response.answer, bounds);
  if (issues.length > 0) throw invalid(issues);
  return { decision, answer: response.answer as JsonValue | undefined };
}

function issuesOf(
  { schema }: ApprovalRecord,
  decision: Decision['decision'],
  answer: unknown,
  bounds: JsonBounds,
): readonly InputIssue[] {
  if (answer !== undefined) {
    if (decision === 'declined') return [{ path: 'answer', message: 'whoever declines gives no answer' }];
    const reason = whyNotPlainJson(answer, 'answer', bounds);
    if (reason) return [{ path: 'answer', message: reason }];
    return schema ? belowAnswer(answerIssues(schema, answer)) : [];
  }
  if (decision === 'answered') return [{ path: 'answer', message: 'is missing' }];
  // an approval needs an answer only if there is something that its schema insists on
  if (decision !== 'approved' || !schema || answerIssues(schema, undefined).length === 0) return [];
  const insists = answerIssues(schema, {});
  return insists.length === 0 ? [] : [{ path: 'answer', message: 'is missing' }, ...belowAnswer(insists)];
}

function belowAnswer(issues: readonly InputIssue[]): InputIssue[] {
  return issues.map(({ path, message }) => ({
    path: path === '' ? 'answer' : `answer${path.startsWith('[') ? '' : '.'}${path}`,
    message,
  }));
}

function invalid(issues: readonly InputIssue[]): CarrelError {
  const [first] = issues;
  const text = `The answer does not fit what was asked: ${first?.path} ${first?.message}`;
  return new CarrelError('invalid_answer', text, { details: { issues: issues.map((issue) => ({ ...issue })) } });
}

function aKind({ kind }: ApprovalRecord): string {
  return kind === 'approval' ? 'an approval' : 'a question';
}
