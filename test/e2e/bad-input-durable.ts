import type { ErrorCode } from '../../src/shared/errors.js';
import { nested } from './bad-input.js';

/** A text is sent as it is; anything else as JSON. */
export type Row = [what: string, request: string, body: unknown, code: ErrorCode, headers?: Record<string, string>];

export const JSON_TYPE = { 'content-type': 'application/json' };
export const echo = (more: object = {}) => ({ agent: 'echo', input: { text: 'x' }, ...more });

const step = (more: object) => ({ input: {}, pipeline: { steps: [{ name: 'a', agent: 'echo', ...more }] } });
export const PIPELINES: Row[] = [
  ['neither agent nor pipeline', 'POST /v1/runs', { input: {} }, 'invalid_request'],
  ['agent and pipeline', 'POST /v1/runs', echo({ pipeline: 'x' }), 'invalid_request'],
  ['a pipeline of null', 'POST /v1/runs', { input: {}, pipeline: null }, 'invalid_request'],
  ['a pipeline that is a list', 'POST /v1/runs', { input: {}, pipeline: [] }, 'invalid_request'],
  ['an empty name of a pipeline', 'POST /v1/runs', { input: {}, pipeline: '' }, 'unknown_pipeline'],
  ['an unknown pipeline', 'POST /v1/runs', { input: {}, pipeline: 'nothing' }, 'unknown_pipeline'],
  ['a pipeline called __proto__', 'POST /v1/runs', { input: {}, pipeline: '__proto__' }, 'unknown_pipeline'],
  ['an over-long name of a pipeline', 'POST /v1/runs', { input: {}, pipeline: 'x'.repeat(9_000) }, 'unknown_pipeline'],
  ['no steps', 'POST /v1/runs', { input: {}, pipeline: {} }, 'invalid_pipeline'],
  ['steps that are none', 'POST /v1/runs', { input: {}, pipeline: { steps: 'a' } }, 'invalid_pipeline'],
  ['a step of nobody', 'POST /v1/runs', step({ agent: 'nobody' }), 'invalid_pipeline'],
  ['a step that depends on itself', 'POST /v1/runs', step({ dependsOn: ['a'] }), 'invalid_pipeline'],
  ['a step that depends on nothing known', 'POST /v1/runs', step({ dependsOn: ['b'] }), 'invalid_pipeline'],
  ['a step with something unknown', 'POST /v1/runs', step({ userId: 'bob' }), 'invalid_pipeline'],
  ['a step with constructor', 'POST /v1/runs', step({ input: { constructor: 1 } }), 'invalid_pipeline'],
  [
    'a very deep pipeline',
    'POST /v1/runs',
    `{"input":{},"pipeline":{"steps":${nested(9_000)}}}`,
    'invalid_pipeline',
    JSON_TYPE,
  ],
  ['a priority that is a text', 'POST /v1/runs', echo({ priority: '1' }), 'invalid_request'],
  ['a priority of null', 'POST /v1/runs', echo({ priority: null }), 'invalid_request'],
  [
    'an endless priority',
    'POST /v1/runs',
    '{"agent":"echo","input":{},"priority":1e999}',
    'invalid_request',
    JSON_TYPE,
  ],
  ['a priority beyond the bounds', 'POST /v1/runs', echo({ priority: -11 }), 'invalid_request'],
  ['a delay below 0', 'POST /v1/runs', echo({ delayMs: -1 }), 'invalid_request'],
  ['a delay beyond numbers', 'POST /v1/runs', echo({ delayMs: 1e18 }), 'invalid_request'],
  ['a conflict that is none', 'POST /v1/runs', echo({ onConflict: 'constructor' }), 'invalid_request'],
];

const approve = (more: object = {}) => ({ decision: 'approve', ...more });
const recur = (more: object = {}) => echo({ cron: '0 0 1 1 *', ...more });
export const ANSWERS: Row[] = [
  ['no decision', 'POST /v1/approvals/:question', {}, 'invalid_request'],
  ['no body', 'POST /v1/approvals/:question', undefined, 'invalid_request'],
  ['a decision that is none', 'POST /v1/approvals/:question', approve({ decision: 'expire' }), 'invalid_request'],
  [
    'a decision in the past tense',
    'POST /v1/approvals/:question',
    approve({ decision: 'approved' }),
    'invalid_request',
  ],
  ['a decision of another kind', 'POST /v1/approvals/:question', approve({ decision: 'decline' }), 'invalid_answer'],
  ['an answer that does not fit', 'POST /v1/approvals/:question', approve({ answer: { note: 1 } }), 'invalid_answer'],
  [
    'an answer with constructor',
    'POST /v1/approvals/:question',
    approve({ answer: { constructor: 1 } }),
    'invalid_answer',
  ],
  [
    'a very deep answer',
    'POST /v1/approvals/:question',
    `{"decision":"approve","answer":${nested(9_000)}}`,
    'invalid_answer',
    JSON_TYPE,
  ],
  ['another hash', 'POST /v1/approvals/:question', approve({ hash: 'x' }), 'approval_changed'],
  ['a hash that is no text', 'POST /v1/approvals/:question', approve({ hash: {} }), 'invalid_request'],
  ['somebody who decides', 'POST /v1/approvals/:question', approve({ decidedBy: 'bob' }), 'invalid_request'],
  ['a resume without a decision', 'POST /v1/runs/:asking/resume', {}, 'invalid_request'],
  ['a resume of what has ended', 'POST /v1/runs/:own/resume', approve(), 'run_ended'],
  ['a resume with another question', 'POST /v1/runs/:asking/resume', approve({ approvalId: 'x' }), 'not_found'],
  ['a resume with no text', 'POST /v1/runs/:asking/resume', approve({ approvalId: 7 }), 'invalid_request'],
  ['a resume with a wrong answer', 'POST /v1/runs/:asking/resume', approve({ answer: 7 }), 'invalid_answer'],
  ['a retry of what goes on', 'POST /v1/runs/:asking/retry', undefined, 'run_not_ended'],
  ['a retry with something unknown', 'POST /v1/runs/:own/retry', { input: {} }, 'invalid_request'],
  ['a retry that is null', 'POST /v1/runs/:own/retry', null, 'invalid_request'],
  ['a retry that is neither', 'POST /v1/runs/:own/retry', { reuseSteps: 1 }, 'invalid_request'],
  ['a schedule without cron', 'POST /v1/schedules', echo(), 'invalid_request'],
  ['a schedule without anything', 'POST /v1/schedules', {}, 'invalid_request'],
  ['a cron that is none', 'POST /v1/schedules', recur({ cron: '* * *' }), 'invalid_schedule'],
  ['a cron with a NUL', 'POST /v1/schedules', recur({ cron: '0 0 1 1 \u0000' }), 'invalid_schedule'],
  ['an over-long cron', 'POST /v1/schedules', recur({ cron: '1,'.repeat(100) }), 'invalid_request'],
  ['no time zone', 'POST /v1/schedules', recur({ timeZone: 'Nowhere/Land' }), 'invalid_schedule'],
  ['a time zone called __proto__', 'POST /v1/schedules', recur({ timeZone: '__proto__' }), 'invalid_schedule'],
  ['a schedule of nobody', 'POST /v1/schedules', recur({ agent: 'nobody' }), 'unknown_agent'],
  ['a schedule with a wrong input', 'POST /v1/schedules', recur({ input: 7 }), 'invalid_input'],
  ['a schedule with roles', 'POST /v1/schedules', recur({ roles: ['admin'] }), 'invalid_request'],
  ['a change to a wrong cron', 'PATCH /v1/schedules/:schedule', { cron: 'x' }, 'invalid_schedule'],
  ['a change of its owner', 'PATCH /v1/schedules/:schedule', { userId: 'bob' }, 'invalid_request'],
  ['a change to null', 'PATCH /v1/schedules/:schedule', { paused: null }, 'invalid_request'],
  ['a change that is a list', 'PATCH /v1/schedules/:schedule', [], 'invalid_request'],
  ['too much for a change', 'PATCH /v1/schedules/:schedule', { input: 'x'.repeat(20_000) }, 'payload_too_large'],
  ['a bad status of questions', 'GET /v1/approvals?status=closed', undefined, 'invalid_request'],
  ['a bad cursor of questions', 'GET /v1/approvals?cursor=yesterday', undefined, 'invalid_request'],
  ['a bad run of questions', 'GET /v1/approvals?runId=x', undefined, 'invalid_request'],
  ['a bad cursor of schedules', 'GET /v1/schedules?cursor=yesterday', undefined, 'invalid_request'],
  ["somebody else's figures", 'GET /v1/admin/execution', undefined, 'forbidden'],
];

/** Well-formed, but about what is not there for her. */
export const FOREIGN_BODIES: Row[] = ['hisQuestion', 'noQuestion'].flatMap((id): Row[] => [
  [`answering :${id}`, `POST /v1/approvals/:${id}`, approve(), 'not_found'],
  [`resuming with :${id}`, 'POST /v1/runs/:asking/resume', approve({ approvalId: `:${id}` }), 'not_found'],
]);
for (const id of ['foreign', 'unknown']) {
  FOREIGN_BODIES.push([`resuming :${id}`, `POST /v1/runs/:${id}/resume`, approve(), 'not_found']);
}
for (const id of ['hisSchedule', 'noSchedule']) {
  FOREIGN_BODIES.push([`changing :${id}`, `PATCH /v1/schedules/:${id}`, { paused: true }, 'not_found']);
}
