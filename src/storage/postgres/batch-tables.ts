import type { ApprovalAnswer } from '../../events/approval-record.js';
import type { EventDraft, JournalledEvent } from '../../events/run-event.js';
import type { StepRecord } from '../../events/step-record.js';
import type { NewRun, RunOutcome, RunRecord } from '../../execution/run-store.port.js';
import type { ApprovalId, RunId, UserId } from '../../shared/ids.js';
import { storedQuestionOf } from '../approval-row.js';
import type { DecisionTables, FoundRun, OpenApproval, RunsOfDecisions, Verdict } from '../decision-tables.js';
import { envelopeOf } from '../event-envelope.js';
import {
  liveRunOf,
  parsed,
  recordOf,
  suspendedUntil,
  type LiveRun,
  type RunPlace,
  type RunRequest,
} from '../run-row.js';
import { count, joinThread } from '../run-standing.js';
import { storedOutcomeOf } from '../step-row.js';
import type { BatchFacts } from './batch-needs.js';
import type { PostgresUser } from './postgres-user.js';
import type { WriteSet } from './write-set.js';

/** Characters of an admitted run's request that is kept in memory until the claim, to save reading it back. */
const MAX_KEPT_REQUEST = 2_048;

const ANSWER_STEP = {
  name: 'step_answer',
  text: `UPDATE run_steps SET state = 'ok', ended_at = $4, outcome = $5 WHERE user_id = $1 AND run_id = $2 AND path = $3`,
};
const REST_STEPS = {
  name: 'steps_rest',
  text: `
    UPDATE run_steps SET state = 'waiting'
    WHERE user_id = $1 AND run_id = $2 AND state = 'started' AND path <> ALL($3::text[])`,
};
const REUSE_STEPS = {
  name: 'steps_reuse',
  text: `
    INSERT INTO run_steps (user_id, run_id, path, first_seq, nth, kind, effect, state, attempts, started_at, ended_at,
      until_at, outcome)
    SELECT user_id, $2, path, first_seq, nth, kind, effect, state, attempts, started_at, ended_at, until_at, outcome
    FROM run_steps WHERE user_id = $1 AND run_id = $3 AND state = 'ok'`,
};
const CLOSE_QUESTION = {
  name: 'approval_close',
  text: `
    WITH roles AS (DELETE FROM approval_roles WHERE user_id = $1 AND approval_id = $2)
    UPDATE approvals SET decision = $3, answer = $4, decided_by = $5, decided_at = $6 WHERE user_id = $1 AND id = $2`,
};

/** What one batch decides on: its users' states, locked and in memory, and what it was asked to look up besides. */
export class BatchTables implements DecisionTables {
  readonly users = {
    load: (id: UserId): PostgresUser => {
      const user = this.facts.users.get(id);
      if (!user) throw new Error(`${id} is not one of the users whom this batch has locked`);
      return user;
    },
    // whoever may be new has a row already
    enlist: (user: PostgresUser): void => this.writes.touch(user),
  };
  readonly threads = {
    ensure: (user: PostgresUser, { threadId, createdAtMs }: NewRun): void =>
      this.writes.thread(user.id, threadId, createdAtMs),
  };
  readonly runs: RunsOfBatch;
  readonly events = {
    append: (user: PostgresUser, run: LiveRun, drafts: readonly EventDraft[], journalled: JournalledEvent[]): void =>
      this.append(user, run, drafts, journalled),
  };
  readonly steps = {
    answer: ({ id }: PostgresUser, run: LiveRun, path: string, answer: ApprovalAnswer, atMs: number): void =>
      this.writes.changeSteps(ANSWER_STEP, [id, run.id, path, atMs, storedOutcomeOf({ result: { ...answer } })]),
    rest: ({ id }: PostgresUser, run: LiveRun, interrupted: readonly string[] = []): void => {
      if (run.stepped) this.writes.changeSteps(REST_STEPS, [id, run.id, interrupted]);
    },
    reuse: ({ id }: PostgresUser, run: LiveRun, from: RunId): void =>
      this.writes.changeSteps(REUSE_STEPS, [id, run.id, from]),
  };
  readonly approvals = {
    stateOf: (user: PostgresUser, run: LiveRun, id: ApprovalId): 'open' | 'closed' | 'unknown' => {
      const known = user.questions.get(run.id)?.find((question) => question.id === id);
      if (!known) return 'unknown';
      return known.isOpen ? 'open' : 'closed';
    },
    openOf: (user: PostgresUser, run: LiveRun): OpenApproval[] =>
      (user.questions.get(run.id) ?? []).filter(({ isOpen }) => isOpen),
    close: (user: PostgresUser, { id }: OpenApproval, { decision, answer, by, atMs }: Verdict): void => {
      for (const questions of user.questions.values()) {
        for (const question of questions) if (question.id === id) question.isOpen = false;
      }
      const text = answer === undefined ? null : JSON.stringify(answer);
      this.writes.touch(user);
      this.writes.afterwards(CLOSE_QUESTION, [user.id, id, decision, text, by ?? null, atMs]);
    },
  };

  constructor(
    private readonly facts: BatchFacts,
    private readonly writes: WriteSet,
  ) {
    this.runs = new RunsOfBatch(facts, writes);
  }

  private append(user: PostgresUser, run: LiveRun, drafts: readonly EventDraft[], journalled: JournalledEvent[]): void {
    for (const draft of drafts) {
      const seq = ++user.lastSeq;
      const json = envelopeOf(run, draft, seq, ++run.runSeq);
      user.oldestAtMs ??= draft.atMs;
      this.writes.add('events', { user_id: user.id, seq, run_id: run.id, at: draft.atMs, json });
      journalled.push({ userId: user.id, runId: run.id, type: draft.type, seq, json });
      if (draft.records) this.writeSteps(user, run, draft.records, { seq, atMs: draft.atMs });
    }
    if (drafts.length > 0) this.writes.change(user, run);
  }

  private writeSteps(
    user: PostgresUser,
    run: LiveRun,
    steps: readonly StepRecord[],
    { seq, atMs }: { seq: number; atMs: number },
  ): void {
    run.stepped = true;
    for (const [nth, step] of steps.entries()) {
      this.writes.step({
        user_id: user.id,
        run_id: run.id,
        path: step.path,
        first_seq: seq,
        nth,
        kind: step.kind,
        effect: step.effect,
        state: step.state,
        attempts: step.attempts,
        started_at: step.startedAtMs,
        ended_at: step.endedAtMs,
        until_at: step.untilMs,
        outcome: storedOutcomeOf(step),
      });
      this.openQuestion(user, run, step, atMs);
    }
  }

  /** A question is opened with the first record of its step. */
  private openQuestion(user: PostgresUser, run: LiveRun, { path, approval }: StepRecord, atMs: number): void {
    if (!approval) return;
    const questions = user.questions.get(run.id) ?? [];
    if (questions.some(({ step }) => step === path)) return;
    const { id, approvers, expiresAtMs } = approval;
    questions.push({ id, step: path, approvers, isOpen: true });
    user.questions.set(run.id, questions);
    this.writes.add('asked', {
      user_id: user.id,
      id,
      run_id: run.id,
      step: path,
      created_at: atMs,
      expires_at: expiresAtMs,
      question: storedQuestionOf(approval),
    });
    for (const role of new Set(approvers)) this.writes.add('askedRoles', { user_id: user.id, approval_id: id, role });
  }
}

class RunsOfBatch implements RunsOfDecisions {
  constructor(
    private readonly facts: BatchFacts,
    private readonly writes: WriteSet,
  ) {}

  insert(user: PostgresUser, _thread: unknown, run: NewRun, place: RunPlace): { live: LiveRun; record: RunRecord } {
    const live = liveRunOf(run, 0, place);
    const { input, metadata, origin, pipeline, retryOf, notBeforeMs } = run;
    const request: RunRequest = { input, metadata, origin, pipeline, retryOf, notBeforeMs };
    const text = JSON.stringify(request);
    if (live.status === 'queued' && live.admitted && text.length <= MAX_KEPT_REQUEST) live.request = text;
    this.writes.add('requests', { user_id: user.id, run_id: run.id, request: text });
    this.facts.addRequest(user.id, run.id, text);
    this.writes.open(user, live, { arrival: user.nextArrival++, idempotency: run.idempotency });
    if (run.idempotency) this.facts.addKey(user.id, run.idempotency, run.id);
    user.live.set(run.id, live);
    count(user, live, 1);
    joinThread(user, live);
    return { live, record: recordOf(user.id, live, request) };
  }

  find(user: PostgresUser, runId: RunId): FoundRun | undefined {
    const live = this.findLive(user, runId);
    if (live) return { live };
    const ended = this.endedNow(user, runId) ?? this.facts.endedRun(user.id, runId);
    return ended && { ended };
  }

  findLive(user: PostgresUser, runId: RunId): LiveRun | undefined {
    return user.live.get(runId);
  }

  findByIdempotencyKey(user: PostgresUser, key: string): { run: RunRecord; fingerprint: string } | undefined {
    const known = this.facts.byKey(user.id, key);
    const found = known && this.find(user, known.runId);
    if (!found) return undefined;
    const run = 'live' in found ? this.record(user, found.live) : found.ended;
    return { run, fingerprint: known.fingerprint };
  }

  record(user: PostgresUser, run: LiveRun): RunRecord {
    return recordOf(user.id, run, this.requestOf(user, run));
  }

  saveState(user: PostgresUser, run: LiveRun): void {
    this.writes.change(user, run);
  }

  move(user: PostgresUser, run: LiveRun, change: Partial<LiveRun>): void {
    count(user, run, -1);
    Object.assign(run, change);
    count(user, run, 1);
    this.saveState(user, run);
  }

  admit(user: PostgresUser, run: LiveRun): void {
    this.move(user, run, { admitted: true });
  }

  noteCancel(user: PostgresUser, run: LiveRun, by: string): void {
    run.cancelRequestedBy = by;
    this.saveState(user, run);
  }

  end(user: PostgresUser, run: LiveRun, outcome: RunOutcome): void {
    this.writes.end(user, run, outcome);
    user.live.delete(run.id);
    user.questions.delete(run.id);
  }

  private requestOf({ id }: PostgresUser, run: LiveRun): RunRequest {
    return parsed(run.request ?? this.facts.requestOf(id, run.id), run.id) as RunRequest;
  }

  /** A run that an earlier operation of the batch has ended. */
  private endedNow(user: PostgresUser, runId: RunId): RunRecord | undefined {
    const ended = this.writes.endOf(user.id, runId);
    if (!ended) return undefined;
    const { run, outcome } = ended;
    const { heldBy: _, ...record } = recordOf(user.id, run, this.requestOf(user, run));
    const { result, error, usage } = outcome;
    return {
      ...record,
      status: outcome.status,
      attempt: outcome.attempt,
      endedAtMs: outcome.endedAtMs,
      suspendedMs: suspendedUntil(run, outcome.endedAtMs),
      ...(result !== undefined && { result }),
      ...(error && { error }),
      ...(usage && { usage }),
    };
  }
}
