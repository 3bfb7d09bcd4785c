import type { Abstract } from '@nestjs/common';
import { Injectable } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import type { ExecutionScope } from '../../context/execution-scope.js';
import { AgentEnhancers, type AgentHandler, hasEnhancers } from '../agent-enhancers.js';
import type { AgentToolCall } from './agent-tool-call.js';
import type { OwnTool } from './define-agent-tool.js';

/** Calls the application's own tools, each through what is declared on it of guards, interceptors, pipes and filters. */
@Injectable()
export class AgentToolInvoker {
  readonly #enhancers: AgentEnhancers;

  constructor(modules: ModulesContainer) {
    this.#enhancers = new AgentEnhancers(modules);
  }

  /**
   * @param scope where the instance is taken from when its class is not a singleton
   * @param input what the tool's reader has made of the arguments
   * @throws CarrelError `tool_denied` when a guard refuses; otherwise what the tool throws
   */
  async invoke({ method }: OwnTool, scope: ExecutionScope, input: unknown, call: AgentToolCall): Promise<unknown> {
    const { provider, methodName } = method;
    const isShared = provider.isDependencyTreeStatic() && !provider.isTransient;
    const instance = isShared
      ? (provider.instance as object)
      : await scope.resolve(provider.token as unknown as Abstract<object>);
    const work = (instance as Record<string, AgentHandler['method']>)[methodName]!;
    const handler: AgentHandler = {
      instance,
      method: work,
      call: async (piped) => {
        call.signal.throwIfAborted(); // what was injected, guards and pipes may have taken their time
        return work.call(instance, piped, call);
      },
    };
    if (!hasEnhancers(method)) return handler.call(input);
    return this.#enhancers.call(method, scope.contextId, [input, call], handler);
  }
}
