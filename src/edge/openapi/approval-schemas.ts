import { APPROVAL_ID_PATTERN, RUN_ID_PATTERN } from '../../shared/ids.js';
import { anyJson, anyObject, dateTime, listOf, object, text, type Schema } from './schema-parts.js';

const ID: Schema = { type: 'string', pattern: APPROVAL_ID_PATTERN.source };

export const DECISION: Schema = {
  type: 'string',
  enum: ['approved', 'rejected', 'answered', 'declined', 'expired', 'withdrawn'],
  description: '`expired`: nobody decided in time; `withdrawn`: the run ended first.',
};

const ASKED = {
  kind: {
    type: 'string',
    enum: ['approval', 'question'],
    description: 'An approval is approved or rejected, a question is answered or declined.',
  },
  title: text('One line.'),
  details: anyJson('What it is about.'),
  schema: anyObject('JSON Schema that the answer must fit.'),
  approvers: {
    type: 'array',
    items: text(),
    description: 'Roles: when there are any, only users who have one of them may decide.',
  },
  hash: text('Of exactly what is asked; send it along, and nothing else is decided.'),
  expiresAt: dateTime(),
} satisfies Record<string, Schema>;

/** The data of `approval_required`. */
export const QUESTION = { approvalId: ID, ...ASKED } satisfies Record<string, Schema>;

/** What the routes of approvals answer. */
export const APPROVAL_SCHEMAS: Readonly<Record<string, Schema>> = {
  Approval: object(
    {
      id: ID,
      status: { type: 'string', enum: ['open', 'closed'] },
      ...ASKED,
      runId: { type: 'string', pattern: RUN_ID_PATTERN.source },
      threadId: text(),
      agent: text('Name of the agent or pipeline that asks.'),
      step: text('Path of the step that waits.'),
      askedFor: text('Whose run asks.'),
      createdAt: dateTime(),
      decision: DECISION,
      answer: anyJson('As it was sent.'),
      decidedBy: text('Who decided, when somebody did.'),
      decidedAt: dateTime(),
    },
    ['details', 'schema', 'decision', 'answer', 'decidedBy', 'decidedAt'],
    'A question that a run asks, and what became of it.',
  ),
  ApprovalList: listOf('Approval', 'Questions, the newest first.'),
};
