import { Injectable } from '@nestjs/common';
import type { UserExecutionContext } from '../../context/user-execution-context.js';
import type { RunError } from '../../events/run-error.js';
import type { JsonValue } from '../../shared/json.js';
import type { AgentExecutionResult } from '../agent-execution-result.js';

/** A text, not a symbol: a hook's package may have a copy of this module of its own. */
const HOOK_METADATA = 'carrel:execution-hook';

/** What a hook is told of the run that begins. Deeply frozen. */
export interface RunFacts {
  readonly kind: 'agent' | 'pipeline';
  /** The agent's or the pipeline's. */
  readonly name: string;
  readonly input: JsonValue;
  /** Number of the attempt that the run begins or goes on with, from 1. */
  readonly attempt: number;
}

/**
 * What a class decorated with `@ExecutionHook` can be told of every run, whoever's it is. There is one instance of it, so it
 * keeps nothing of a user's but by the user's id, and bounded; whose run it is says the context.
 *
 * A run that begins, or goes on after a suspension or a restart, opens a session: `beforeRun` of each hook in their order,
 * then at most one of `afterRun` and `onError`, then `dispose`, each from the last hook to the first.
 */
export interface ExecutionHook {
  /**
   * May refuse the run by throwing, or by taking longer than 5 s: the run fails with `hook_failed`. The hooks behind it are
   * not called, and those before it are disposed of; a hook that throws here has to take back itself what it took.
   */
  beforeRun?(context: UserExecutionContext, facts: RunFacts): Promise<void> | void;

  /** The run has ended, also when it was cancelled. What is thrown here is logged and changes nothing; so from here on. */
  afterRun?(context: UserExecutionContext, result: AgentExecutionResult): Promise<void> | void;

  /** The run has failed or timed out. */
  onError?(context: UserExecutionContext, error: RunError): Promise<void> | void;

  /** The session is over, whichever way: also when the run was suspended or interrupted, and a hook behind this one refused it. */
  dispose?(context: UserExecutionContext): Promise<void> | void;
}

export interface ExecutionHookOptions {
  /** Hooks of a lower order begin earlier and end later; those of the same order go by the names of their classes. @default 0 */
  order?: number;
}

/**
 * Makes a class a hook: a singleton provider that is found in whatever module provides it. In plain JavaScript call it:
 * `ExecutionHook({ … })(SomeClass)`. Mistakes are refused at boot, by name.
 */
export function ExecutionHook(options: ExecutionHookOptions = {}) {
  return <Class extends abstract new (...args: never[]) => ExecutionHook>(hookClass: Class): Class => {
    Injectable()(hookClass);
    Reflect.defineMetadata(HOOK_METADATA, options, hookClass);
    return hookClass;
  };
}

/** How a class was declared; `undefined` for what is no hook itself, whatever it inherits from. Not checked yet. */
export function declaredHook(candidate: object): unknown {
  return Reflect.getOwnMetadata(HOOK_METADATA, candidate);
}
