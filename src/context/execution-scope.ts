import type { Abstract } from '@nestjs/common';
import { ContextIdFactory, type ContextId, type ModuleRef } from '@nestjs/core';
import type { Clock } from '../shared/clock.js';
import { CarrelError } from '../shared/errors.js';
import type { UserExecutionContext } from './user-execution-context.js';

/** Takes back something that was made for one execution. */
export type CleanUp = () => void | Promise<void>;

/** The same for all scopes. */
export interface ScopeParts {
  moduleRef: ModuleRef;
  clock: Clock;
  /** How long the end waits for clean-ups, in milliseconds; those that take longer go on unwatched. */
  cleanUpMs: number;
  onDisposed: (context: UserExecutionContext, errors: readonly unknown[]) => void;
}

/**
 * One DI sub-tree for one execution: the only place that opens one. Request-scoped providers that are resolved through
 * it are made afresh, with this context injected, and nobody else can reach them.
 */
export class ExecutionScope implements AsyncDisposable {
  private id: ContextId | undefined;
  private cleanUps: CleanUp[] | undefined;
  private disposables: Set<unknown> | undefined;
  private over = false;
  private disposal: Promise<void> | undefined;

  constructor(
    readonly context: UserExecutionContext,
    private readonly parts: ScopeParts,
  ) {}

  /** Of the sub-tree, which begins when it is first asked for. */
  get contextId(): ContextId {
    if (!this.id) {
      this.id = ContextIdFactory.create();
      this.parts.moduleRef.registerRequestByContextId(this.context, this.id);
    }
    return this.id;
  }

  /**
   * An instance of this scope. It is disposed of with the scope when it can be (`Symbol.asyncDispose`, `Symbol.dispose`).
   *
   * @throws CarrelError `context_disposed` after the end
   */
  async resolve<T>(type: Abstract<T>): Promise<T> {
    this.assertLive();
    const instance = await this.parts.moduleRef.resolve<T>(type, this.contextId, { strict: false });
    if (this.over) {
      const cleanUp = disposerOf(instance);
      if (cleanUp) await this.run([cleanUp]); // it ended while the instance was made
    }
    return this.adopt(instance);
  }

  /**
   * Takes an instance that was made for this scope alone, to be disposed of with it like those that it resolves.
   *
   * @throws CarrelError `context_disposed` after the end
   */
  adopt<T>(instance: T): T {
    this.assertLive();
    const cleanUp = this.disposables?.has(instance) ? undefined : disposerOf(instance);
    if (cleanUp) {
      (this.disposables ??= new Set()).add(instance);
      (this.cleanUps ??= []).push(cleanUp);
    }
    return instance;
  }

  /**
   * Runs `cleanUp` when the scope ends, whichever way; the last one that was added runs first.
   *
   * @throws CarrelError `context_disposed` after the end
   */
  onDispose(cleanUp: CleanUp): void {
    this.assertLive();
    (this.cleanUps ??= []).push(cleanUp);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return (this.disposal ??= this.dispose());
  }

  private async dispose(): Promise<void> {
    this.over = true;
    this.parts.onDisposed(this.context, this.cleanUps ? await this.run(this.cleanUps) : []);
  }

  /** From the last to the first. One that throws or hangs stops no other: all of them together have `cleanUpMs`. */
  private async run(cleanUps: CleanUp[]): Promise<unknown[]> {
    const errors: unknown[] = [];
    const { clock, cleanUpMs } = this.parts;
    const timeUp = Promise.withResolvers<never>();
    timeUp.promise.catch(() => undefined);
    const cancelTimer = clock.after(cleanUpMs, () =>
      timeUp.reject(new Error(`clean-up took longer than ${cleanUpMs} ms`)),
    );
    for (let cleanUp = cleanUps.pop(); cleanUp; cleanUp = cleanUps.pop()) {
      try {
        await Promise.race([cleanUp(), timeUp.promise]);
      } catch (error) {
        errors.push(error);
      }
    }
    cancelTimer();
    return errors;
  }

  private assertLive(): void {
    if (this.over) {
      throw new CarrelError(
        'context_disposed',
        `the execution ${this.context.correlationId} has ended; its scope can't be used any more`,
      );
    }
  }
}

function disposerOf(instance: unknown): CleanUp | undefined {
  if (typeof instance !== 'object' || instance === null) return undefined;
  if (Symbol.asyncDispose in instance) return async () => (instance as AsyncDisposable)[Symbol.asyncDispose]();
  if (Symbol.dispose in instance) return () => (instance as Disposable)[Symbol.dispose]();
  return undefined;
}
