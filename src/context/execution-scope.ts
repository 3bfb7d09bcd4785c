import type { Abstract } from '@nestjs/common';
import { ContextIdFactory, type ContextId, type ModuleRef } from '@nestjs/core';
import { CarrelError } from '../shared/errors.js';
import type { UserExecutionContext } from './user-execution-context.js';

/** Takes back something that was made for one execution. */
export type CleanUp = () => void | Promise<void>;

/**
 * One DI sub-tree for one execution: the only place that opens one. Request-scoped providers that are resolved through
 * it are made afresh, with this context injected, and nobody else can reach them.
 */
export class ExecutionScope implements AsyncDisposable {
  readonly contextId: ContextId = ContextIdFactory.create();
  private readonly cleanUps: CleanUp[] = [];
  private disposal: Promise<void> | undefined;

  constructor(
    readonly context: UserExecutionContext,
    private readonly moduleRef: ModuleRef,
    private readonly onDisposed: (errors: readonly unknown[]) => void,
  ) {
    moduleRef.registerRequestByContextId(context, this.contextId);
  }

  /** @throws CarrelError `context_disposed` after the end */
  async resolve<T>(type: Abstract<T>): Promise<T> {
    this.assertLive();
    return this.moduleRef.resolve<T>(type, this.contextId, { strict: false });
  }

  /**
   * Runs `cleanUp` when the scope ends, whichever way; the last one that was added runs first.
   *
   * @throws CarrelError `context_disposed` after the end
   */
  onDispose(cleanUp: CleanUp): void {
    this.assertLive();
    this.cleanUps.push(cleanUp);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return (this.disposal ??= this.dispose());
  }

  private async dispose(): Promise<void> {
    const errors: unknown[] = [];
    for (let cleanUp = this.cleanUps.pop(); cleanUp; cleanUp = this.cleanUps.pop()) {
      try {
        await cleanUp();
      } catch (error) {
        errors.push(error);
      }
    }
    this.onDisposed(errors);
  }

  private assertLive(): void {
    if (this.disposal) {
      throw new CarrelError('context_disposed', `the execution ${this.context.correlationId} has ended; its scope can't be used any more`);
    }
  }
}
