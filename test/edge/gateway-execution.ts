import type { UserExecutionContext } from '../../src/context/user-execution-context.js';
import type { RunRecord } from '../../src/execution/run-store.port.js';
import type { RunRequest } from '../../src/execution/run-request.js';
import { CarrelError } from '../../src/shared/errors.js';
import { newId, type ApprovalId, type RunId, type ThreadId, type UserId } from '../../src/shared/ids.js';
import type { ApprovalRecord } from '../../src/events/approval-record.js';
import type { ApprovalResponse } from '../../src/execution/approval-response.js';
import type { ApprovalFilter, ApprovalPage } from '../../src/execution/approval-store.port.js';

/** The part of the execution that the gateway talks to: records runs, by user, and never carries them out. */
export class ScriptedExecution {
  readonly submitted: { context: UserExecutionContext; request: RunRequest }[] = [];
  readonly cancelled: { context: UserExecutionContext; runId: RunId; wait?: boolean }[] = [];
  /** What the next submits wait for. */
  gate: Promise<void> = Promise.resolve();
  /** What the next submits throw. */
  failure: unknown;
  private readonly runs = new Map<string, RunRecord>();

  async submit(context: UserExecutionContext, request: RunRequest): Promise<{ run: RunRecord; replayed: boolean }> {
    this.submitted.push({ context, request });
    await this.gate;
    if (this.failure !== undefined) throw this.failure;
    const run: RunRecord = {
      id: newId('run'),
      userId: context.userId,
      threadId: (request.threadId ?? newId('thr')) as ThreadId,
      agent: request.agent ?? 'inline',
      pipeline: request.pipeline,
      status: 'queued',
      input: request.input as RunRecord['input'],
      metadata: {},
      origin: { requestId: context.requestId, roles: context.roles },
      attempt: 0,
      fence: 0,
      priority: request.priority ?? 0,
      suspendedMs: 0,
      createdAtMs: 0,
    };
    this.runs.set(`${context.userId} ${run.id}`, run);
    return { run, replayed: false };
  }

  async find(context: UserExecutionContext, runId: RunId): Promise<RunRecord> {
    const run = this.runs.get(`${context.userId} ${runId}`);
    if (!run) throw new CarrelError('not_found', 'there is no such run');
    return run;
  }

  async cancel(context: UserExecutionContext, runId: RunId, options: { wait?: boolean } = {}): Promise<RunRecord> {
    const run = this.runs.get(`${context.userId} ${runId}`);
    if (!run) throw new CarrelError('not_found', 'there is no such run');
    this.cancelled.push({ context, runId, wait: options.wait });
    return { ...run, status: 'cancelled' };
  }
}

/** Likewise what runs ask: questions of users, each answered once. */
export class ScriptedApprovals {
  readonly said: { userId: string; approvalId: ApprovalId; response: ApprovalResponse }[] = [];
  private readonly asked = new Map<string, ApprovalRecord>();

  ask(userId: string, runId: RunId): ApprovalRecord {
    const approval: ApprovalRecord = {
      id: newId('apr'),
      userId: userId as UserId,
      runId,
      threadId: 'thread-1' as ThreadId,
      agent: 'summarise',
      step: '1:ask',
      kind: 'approval',
      title: 'May I?',
      approvers: [],
      hash: 'of what is asked',
      createdAtMs: 0,
      expiresAtMs: 1_000,
    };
    this.asked.set(`${userId} ${approval.id}`, approval);
    return approval;
  }

  async list({ userId }: UserExecutionContext, { open, runId }: ApprovalFilter): Promise<ApprovalPage> {
    const all = [...this.asked.values()].filter((approval) => approval.userId === userId);
    return {
      items: all.filter(({ decision, runId: of }) => (!open || !decision) && (runId === undefined || of === runId)),
    };
  }

  async find({ userId }: UserExecutionContext, approvalId: ApprovalId): Promise<ApprovalRecord> {
    const approval = this.asked.get(`${userId} ${approvalId}`);
    if (!approval) throw new CarrelError('not_found', 'there is no such question');
    return approval;
  }

  async respond(
    context: UserExecutionContext,
    approvalId: ApprovalId,
    response: ApprovalResponse,
  ): Promise<ApprovalRecord> {
    const approval = await this.find(context, approvalId);
    if (approval.decision) throw new CarrelError('approval_closed');
    this.said.push({ userId: context.userId, approvalId, response });
    const decided = { ...approval, decision: 'approved', decidedBy: context.userId, decidedAtMs: 500 } as const;
    this.asked.set(`${context.userId} ${approvalId}`, decided);
    return decided;
  }
}
