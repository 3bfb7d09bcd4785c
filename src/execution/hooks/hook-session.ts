import { Logger } from '@nestjs/common';
import type { UserExecutionContext } from '../../context/user-execution-context.js';
import type { RunError } from '../../events/run-error.js';
import type { Clock } from '../../shared/clock.js';
import { CarrelError, isCarrelError } from '../../shared/errors.js';
import { frozenCopy } from '../../shared/json.js';
import type { AgentExecutionResult } from '../agent-execution-result.js';
import type { RegisteredHook } from './discover-hooks.js';
import type { ExecutionHook, RunFacts } from './execution-hook.js';

/** What each call of a hook may take. */
const HOOK_TIME_MS = 5_000;

/** What the hooks are told of one run. Nothing here ever rejects: hooks that throw or take too long are logged. */
export interface HookSession extends AsyncDisposable {
  /** The run has completed, is degraded or was cancelled. */
  ended(result: AgentExecutionResult): Promise<void>;
  /** The run has failed or timed out. */
  failed(error: RunError): Promise<void>;
}

const DONE = Promise.resolve();

/** The session of a server without hooks. */
export const NO_HOOKS: HookSession = Object.freeze({
  ended: () => DONE,
  failed: () => DONE,
  [Symbol.asyncDispose]: () => DONE,
});

/** A session of the hooks that have begun, each of which is told from the last to the first. */
export class OpenHookSession implements HookSession {
  private readonly logger = new Logger('ExecutionHook');
  private readonly begun: RegisteredHook[] = [];
  private told = false;
  private disposal: Promise<void> | undefined;

  constructor(
    private readonly context: UserExecutionContext,
    private readonly clock: Clock,
  ) {}

  /**
   * Has one more hook begin.
   *
   * @throws CarrelError `hook_failed`; the signal's reason when the run is stopped first
   */
  async enter(hook: RegisteredHook, facts: RunFacts): Promise<void> {
    this.context.signal.throwIfAborted();
    const beginning = call(() => hook.hook.beforeRun?.(this.context, facts));
    try {
      await this.inTime(beginning, this.context.signal);
    } catch (error) {
      // nobody waits for it any more, but what it takes nevertheless must be given back
      if (error instanceof NotWaitedFor)
        void beginning.then(
          () => this.tell(hook, 'dispose', []),
          () => undefined,
        );
      throw this.context.signal.aborted ? this.context.signal.reason : refusal(hook.name, error);
    }
    this.begun.push(hook);
  }

  async ended(result: AgentExecutionResult): Promise<void> {
    if (this.told) return;
    this.told = true;
    const frozen = Object.freeze('result' in result ? { ...result, result: frozenCopy(result.result) } : { ...result });
    await this.tellAll('afterRun', [frozen]);
  }

  async failed(error: RunError): Promise<void> {
    if (this.told) return;
    this.told = true;
    await this.tellAll('onError', [Object.freeze({ ...error })]);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return (this.disposal ??= this.tellAll('dispose', []));
  }

  private async tellAll(method: Exclude<keyof ExecutionHook, 'beforeRun'>, args: readonly unknown[]): Promise<void> {
    for (const hook of this.begun.toReversed()) await this.tell(hook, method, args);
  }

  private async tell(
    { name, hook }: RegisteredHook,
    method: Exclude<keyof ExecutionHook, 'beforeRun'>,
    args: readonly unknown[],
  ): Promise<void> {
    try {
      await this.inTime(call(() => hook[method]?.(this.context, ...(args as [never]))));
    } catch (err) {
      this.logger.error({ err, ...this.context.toJSON() }, `${method} of the hook ${name} failed`);
    }
  }

  /** @throws NotWaitedFor when the work takes too long or the signal is aborted */
  private async inTime(work: Promise<void>, signal?: AbortSignal): Promise<void> {
    const over = Promise.withResolvers<never>();
    const stop = () => over.reject(new NotWaitedFor(`took longer than ${HOOK_TIME_MS} ms`));
    const cancelTimer = this.clock.after(HOOK_TIME_MS, stop);
    signal?.addEventListener('abort', stop, { once: true });
    try {
      await Promise.race([work, over.promise]);
    } finally {
      cancelTimer();
      signal?.removeEventListener('abort', stop);
    }
  }
}

/** The work goes on, unwatched. */
class NotWaitedFor extends Error {}

async function call(work: () => Promise<void> | void): Promise<void> {
  await work();
}

/** An error of ours was written for the user; of anything else only the log has the details. */
function refusal(hook: string, cause: unknown): CarrelError {
  if (cause instanceof NotWaitedFor) {
    return new CarrelError('hook_failed', `The hook ${hook} did not let the run begin: it ${cause.message}`, {
      retryable: true,
    });
  }
  if (!isCarrelError(cause)) return new CarrelError('hook_failed', undefined, { cause });
  const { message, details, retryable, retryAfterMs } = cause;
  return new CarrelError('hook_failed', message, { cause, details, retryable, retryAfterMs });
}
