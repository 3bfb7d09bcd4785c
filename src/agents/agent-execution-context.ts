import type { ArgumentsHost } from '@nestjs/common';
import type { UserExecutionContext } from '../context/user-execution-context.js';
import { CarrelError } from '../shared/errors.js';
import type { AgentRun } from './agent-run.js';
import type { AgentToolCall } from './tools/agent-tool-call.js';

/** What Nest's `getType()` says in the guards, interceptors, pipes and filters of agents and tools. */
export const AGENT_CONTEXT_TYPE = 'agent';

/** The call of an agent, or of a method with `@AgentTool`, as its enhancers see it. */
export interface AgentCall<Input = unknown> {
  /** Checked by the schema, before the pipes. */
  readonly input: Input;
  /** An agent's handle; a tool has none, only its `toolCall`. */
  readonly run: AgentRun;
  readonly toolCall: AgentToolCall | undefined;
  readonly context: UserExecutionContext;
}

/**
 * For guards, interceptors and filters on agents and tools, what `switchToHttp()` is for controllers.
 *
 * @throws CarrelError `internal` when the host is neither an agent's nor a tool's; ask `getType()` first where an enhancer serves both
 */
export function switchToAgent<Input = unknown>(host: ArgumentsHost): AgentCall<Input> {
  const type = host.getType<string>();
  if (type !== AGENT_CONTEXT_TYPE) {
    throw new CarrelError(
      'internal',
      `switchToAgent() was called for "${type}"; check getType() === "${AGENT_CONTEXT_TYPE}" first`,
    );
  }
  const [input, handle] = host.getArgs<[Input, AgentRun | AgentToolCall]>();
  const toolCall = 'callId' in handle ? handle : undefined;
  return { input, run: (toolCall ? undefined : handle) as AgentRun, toolCall, context: handle.context };
}
