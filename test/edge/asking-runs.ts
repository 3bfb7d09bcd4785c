import type { NewApproval } from '../../src/events/approval-record.js';
import { EVENT_JOURNAL, type EventJournal } from '../../src/events/event-journal.port.js';
import { draftEvent, type EventDraft } from '../../src/events/run-event.js';
import { RUN_STORE, type RunRecord, type RunStore } from '../../src/execution/run-store.port.js';
import { newId, type ApprovalId, type RunId, type ThreadId, type UserId } from '../../src/shared/ids.js';
import type { CarrelServer } from '../carrel-server.js';

export interface Asked {
  runId: RunId;
  approvalIds: readonly ApprovalId[];
  hash: string;
}

/**
 * A run of a user that asks as many questions as there are, and is suspended with them: written through the ports, as a
 * run that asks would be. It runs the agent `echo`, from the top, once it is answered.
 */
export async function askingRun(
  server: CarrelServer,
  user: string,
  questions: readonly Partial<NewApproval>[] = [{}],
  threadId = `asking-${newId('req')}`,
): Promise<Asked> {
  const store = server.app.get<RunStore>(RUN_STORE);
  const journal = server.app.get<EventJournal>(EVENT_JOURNAL);
  const userId = user as UserId;
  const { lane } = server.config;
  const { run: submitted } = await store.submit(
    userId,
    {
      id: newId('run'),
      threadId: threadId as ThreadId,
      agent: 'echo',
      input: { text: 'asks' },
      metadata: {},
      origin: { requestId: newId('req'), roles: [] },
      createdAtMs: Date.now(),
      placeInLine: 0,
    },
    lane,
  );
  const run = await store.claim(userId, submitted.id, (claimed) => opening(claimed));
  if (!run) throw new Error('the run was not admitted');
  const approvals = questions.map((over): NewApproval => ({
    ...QUESTION,
    id: newId('apr'),
    expiresAtMs: soon(),
    ...over,
  }));
  await journal.append(
    userId,
    run.id,
    run.fence,
    approvals.map((approval, i) => question(approval, `${i + 1}:ask`)),
  );
  const suspended = draftEvent('agent_suspended', { waitsFor: 'answer' }, { attempt: 1, atMs: Date.now() });
  const approvalIds = approvals.map(({ id }) => id);
  const { outcome } = await store.suspend(userId, run.id, run.fence, { approvals: approvalIds }, [suspended], lane);
  if (outcome !== 'suspended') throw new Error(`the run is ${outcome}`);
  return { runId: run.id, approvalIds, hash: QUESTION.hash };
}

const QUESTION = {
  kind: 'approval',
  title: 'Pay 200 EUR to ACME?',
  details: { amount: 200 },
  schema: { type: 'object', properties: { note: { type: 'string' } }, additionalProperties: false },
  approvers: [],
  hash: 'a-hash-of-what-is-asked',
} as const;

function soon(): number {
  return Date.now() + 60_000;
}

function opening({ agent, input, attempt }: RunRecord): EventDraft {
  const data = { status: 'started', isolated: true, agent, input } as const;
  return draftEvent('agent_started', data, { attempt, atMs: Date.now() });
}

function question(approval: NewApproval, step: string): EventDraft {
  const { id, expiresAtMs, ...asked } = approval;
  const record = {
    path: step,
    kind: 'ask',
    effect: 'once',
    state: 'started',
    attempts: 1,
    startedAtMs: Date.now(),
    approval,
  } as const;
  const data = { ...asked, approvalId: id, expiresAt: new Date(expiresAtMs).toISOString() };
  return draftEvent('approval_required', data, { attempt: 1, atMs: Date.now(), step, records: [record] });
}
