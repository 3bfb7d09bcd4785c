import type { ArgumentsHost } from '@nestjs/common';
import type { UserExecutionContext } from '../context/user-execution-context.js';
import { CarrelError } from '../shared/errors.js';
import type { AgentRun } from './agent-run.js';

/** What Nest's `getType()` says in the guards, interceptors, pipes and filters of agents. */
export const AGENT_CONTEXT_TYPE = 'agent';

/** An agent's call, as its enhancers see it. */
export interface AgentCall<Input = unknown> {
  /** Checked by the agent's schema, before its pipes. */
  readonly input: Input;
  readonly run: AgentRun;
  readonly context: UserExecutionContext;
}

/**
 * For guards, interceptors and filters on agents, what `switchToHttp()` is for controllers.
 *
 * @throws CarrelError `internal` when the host is not an agent's; ask `getType()` first where an enhancer serves both
 */
export function switchToAgent<Input = unknown>(host: ArgumentsHost): AgentCall<Input> {
  const type = host.getType<string>();
  if (type !== AGENT_CONTEXT_TYPE) {
    throw new CarrelError(
      'internal',
      `switchToAgent() was called for "${type}"; check getType() === "${AGENT_CONTEXT_TYPE}" first`,
    );
  }
  const [input, run] = host.getArgs<[Input, AgentRun]>();
  return { input, run, context: run.context };
}
