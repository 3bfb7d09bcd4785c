import type { UserExecutionContext } from '../context/user-execution-context.js';
import { isCarrelError } from '../shared/errors.js';
import type { RunId } from '../shared/ids.js';
import type { RunRequest } from './run-request.js';
import type { RunRecord } from './run-store.port.js';
import type { WaitOptions } from './run-waiter.service.js';

/** What a scope needs of `ExecutionService`. */
interface Execution {
  submit(context: UserExecutionContext, request: RunRequest): Promise<{ run: RunRecord }>;
  waitForEnd(context: UserExecutionContext, runId: RunId, options?: WaitOptions): Promise<RunRecord>;
  cancel(context: UserExecutionContext, runId: RunId, options: { wait: boolean }): Promise<RunRecord>;
}

/** Runs of one context whose life ends with the scope. */
export class RunScope implements AsyncDisposable {
  private readonly open = new Set<RunId>();

  constructor(
    private readonly context: UserExecutionContext,
    private readonly execution: Execution,
  ) {}

  /** @throws CarrelError whatever `ExecutionService.submit` throws */
  async start(request: RunRequest): Promise<RunRecord> {
    const { run } = await this.execution.submit(this.context, request);
    this.open.add(run.id);
    return run;
  }

  /** Starts a run and waits for its end. */
  async execute(request: RunRequest, options: WaitOptions = {}): Promise<RunRecord> {
    const { id } = await this.start(request);
    return this.execution.waitForEnd(this.context, id, options);
  }

  /** Cancels what has not ended, and waits until its work is down. */
  async [Symbol.asyncDispose](): Promise<void> {
    const runs = [...this.open];
    this.open.clear();
    await Promise.all(runs.map((id) => this.cancelled(id)));
  }

  private async cancelled(id: RunId): Promise<void> {
    try {
      await this.execution.cancel(this.context, id, { wait: true });
    } catch (error) {
      if (!isCarrelError(error) || error.code !== 'run_ended') throw error;
    }
  }
}
