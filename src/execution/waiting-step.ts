import type { Ask } from '../agents/agent-run.js';
import type { ApprovalAnswer, NewApproval } from '../events/approval-record.js';
import type { StepRecord } from '../events/step-record.js';
import { CarrelError } from '../shared/errors.js';
import { newId } from '../shared/ids.js';
import { pause } from '../shared/pause.js';
import { approvalHash } from './approval-hash.js';
import { checkedAsk } from './checked-ask.js';
import { refuseOther, type StepSpec } from './step-spec.js';
import type { StepHost, StepInProgress } from './step-host.js';

/** So long a run waits without being suspended: what that would cost is more than the slot. */
const WAIT_IN_PLACE_MS = 1_000;

/** `AgentRun.sleep`. The moment is recorded when it begins, so that it does not move when the agent comes by again. */
export async function sleepStep(host: StepHost, step: StepInProgress, spec: StepSpec, ms: number): Promise<void> {
  const { log, clock } = host.parts;
  if (!Number.isFinite(ms) || ms < 0) {
    throw new CarrelError('agent_failed', `a sleep takes a number of milliseconds, not ${ms}`, { retryable: false });
  }
  let record = log.find(spec.path);
  if (record) refuseOther(record, spec);
  if (record?.state === 'ok') return;
  const now = clock.now();
  if (!record) {
    const { path, kind, effect } = spec;
    record = { path, kind, effect, state: 'started', attempts: 1, startedAtMs: now, untilMs: now + Math.round(ms) };
    await log.write(record, { type: 'step_started', data: { step: path, kind } }, host.place.above);
  }
  const untilMs = record.untilMs ?? now;
  if (untilMs - clock.now() <= WAIT_IN_PLACE_MS) await pause(untilMs - clock.now(), clock, host.signal);
  else await waitAtRest(host, step, { path: spec.path, untilMs });
  host.signal.throwIfAborted();
  const ended: StepRecord = { ...record, state: 'ok', endedAtMs: clock.now() };
  const durationMs = clock.now() - record.startedAtMs;
  const data = { step: spec.path, outcome: 'ok', attempts: 1, durationMs } as const;
  await log.write(ended, { type: 'step_completed', data });
}

/** `AgentRun.ask`. The question is opened when the agent comes by for the first time. */
export async function askStep(host: StepHost, step: StepInProgress, path: string, ask: Ask): Promise<ApprovalAnswer> {
  const { log, clock } = host.parts;
  const recorded = log.find(path);
  if (recorded) refuseOther(recorded, { path, kind: 'ask' });
  const question = checkedAsk(ask, host.parts.config);
  const hash = approvalHash({ ...question, runId: host.context.runId!, step: path });
  if (recorded?.approval && recorded.approval.hash !== hash) {
    const text = `the agent does not repeat its steps: at "${path}" it asked "${recorded.approval.title}", and asks something else now ("${question.title}")`;
    throw new CarrelError('nondeterministic_agent', text);
  }
  if (recorded?.state === 'ok') return recorded.result as unknown as ApprovalAnswer;
  const { expiresInMs, ...asked } = question;
  const approval: NewApproval = recorded?.approval ?? {
    id: newId('apr'),
    ...asked,
    hash,
    expiresAtMs: clock.now() + expiresInMs,
  };
  if (!recorded) await open(host, path, approval);
  return answerOf(await waitAtRest(host, step, { path, untilMs: approval.expiresAtMs, approvalId: approval.id }));
}

async function open({ parts, place }: StepHost, path: string, approval: NewApproval): Promise<void> {
  const { id: approvalId, kind, title, details, schema, approvers, hash, expiresAtMs } = approval;
  const record: StepRecord = {
    path,
    kind: 'ask',
    effect: 'read',
    state: 'started',
    attempts: 1,
    startedAtMs: parts.clock.now(),
    untilMs: expiresAtMs,
    approval,
  };
  const expiresAt = new Date(expiresAtMs).toISOString();
  const data = { approvalId, kind, title, details, schema, approvers, hash, expiresAt };
  await parts.log.write(record, { type: 'approval_required', data }, place.above);
}

function answerOf(record: StepRecord): ApprovalAnswer {
  return record.result as unknown as ApprovalAnswer;
}

/**
 * Waits until the step is answered or its time has come, unless the run is suspended first: then its signal is aborted.
 *
 * @returns the step's record, answered or, when its time has come, as it was
 */
async function waitAtRest(
  { parts, signal }: StepHost,
  step: StepInProgress,
  wait: { path: string; untilMs: number; approvalId?: NewApproval['id'] },
): Promise<StepRecord> {
  const { log, waits, clock } = parts;
  const settled = Promise.withResolvers<StepRecord>();
  settled.promise.catch(() => undefined);
  const stop = () => settled.reject(signal.reason);
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  const known = log.find(wait.path);
  if (known?.state === 'ok') settled.resolve(known); // it was answered while its being asked was written down
  waits.add({ ...wait, settle: settled.resolve });
  step.resting = true;
  // a question's end is the store's to say: it closes it, and tells as an answer would be told
  const timer = wait.approvalId
    ? undefined
    : clock.after(wait.untilMs - clock.now(), () => settled.resolve(log.find(wait.path)!));
  waits.changed();
  try {
    return await settled.promise;
  } finally {
    step.resting = false;
    waits.remove(wait.path);
    timer?.();
    signal.removeEventListener('abort', stop);
  }
}
