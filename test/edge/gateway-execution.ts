import type { UserExecutionContext } from '../../src/context/user-execution-context.js';
import type { RunRecord } from '../../src/execution/run-store.port.js';
import type { RunRequest } from '../../src/execution/run-request.js';
import { CarrelError } from '../../src/shared/errors.js';
import { newId, type RunId, type ThreadId } from '../../src/shared/ids.js';

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
      agent: request.agent,
      status: 'queued',
      input: request.input as RunRecord['input'],
      metadata: {},
      origin: { requestId: context.requestId, roles: context.roles },
      attempt: 0,
      fence: 0,
      createdAtMs: 0,
    };
    this.runs.set(`${context.userId} ${run.id}`, run);
    return { run, replayed: false };
  }

  async cancel(context: UserExecutionContext, runId: RunId, options: { wait?: boolean } = {}): Promise<RunRecord> {
    const run = this.runs.get(`${context.userId} ${runId}`);
    if (!run) throw new CarrelError('not_found', 'there is no such run');
    this.cancelled.push({ context, runId, wait: options.wait });
    return { ...run, status: 'cancelled' };
  }
}
