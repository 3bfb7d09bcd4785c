import { Injectable } from '@nestjs/common';
import { type ContextId, DiscoveryService, ModulesContainer } from '@nestjs/core';
import type { AgentDefinition } from './agent-definition.js';
import { discoverAgents } from './agent-discovery.js';
import { AgentEnhancers, type AgentHandler, type EnhancedMethod, hasEnhancers } from './agent-enhancers.js';
import type { AgentClass, AgentProvider } from './agent-provider.js';
import type { AgentRun } from './agent-run.js';
import { resultOf } from './consume-parts.js';
import { WorkerAgents } from './worker/worker-agents.service.js';

/** Calls agents, each through what its own class declares of guards, interceptors, pipes and filters. */
@Injectable()
export class AgentInvoker {
  readonly #enhancers: AgentEnhancers;
  /** Only agents that have any, so that all others are called without a detour. */
  readonly #enhanced: ReadonlyMap<AgentClass, EnhancedMethod>;

  constructor(
    discovery: DiscoveryService,
    modules: ModulesContainer,
    private readonly workers: WorkerAgents,
  ) {
    this.#enhancers = new AgentEnhancers(modules);
    this.#enhanced = new Map(
      discoverAgents(discovery)
        .filter(({ agentClass }) => typeof (agentClass.prototype as Partial<AgentProvider>).run === 'function')
        .map(({ agentClass: targetClass, provider }): EnhancedMethod => {
          return { targetClass, methodName: 'run', provider, denied: 'agent_denied' };
        })
        .filter(hasEnhancers)
        .map((agent) => [agent.targetClass as unknown as AgentClass, agent]),
    );
  }

  /**
   * Calls `run` of an instance that was resolved in `contextId`, with an input that `definition.validate` has returned.
   * The parts of a generating agent are emitted; to its interceptors it looks like any other agent, and so does one that is
   * carried out in a worker: there the instance only lends its class to the enhancers.
   *
   * @throws CarrelError `agent_denied` when a guard refuses; otherwise what the agent throws
   */
  async invoke(
    definition: Pick<AgentDefinition, 'agentClass' | 'name' | 'worker'>,
    instance: AgentProvider,
    contextId: ContextId,
    input: unknown,
    run: AgentRun,
  ): Promise<unknown> {
    const { name, worker } = definition;
    const call = (value: unknown) =>
      worker ? this.workers.call({ name, worker }, value, run) : resultOf(instance.run(value, run), run);
    const enhanced = this.#enhanced.get(definition.agentClass);
    if (!enhanced) return call(input);
    return this.#enhancers.call(enhanced, contextId, [input, run], {
      instance,
      // oxlint-disable-next-line typescript/unbound-method -- never called: Nest finds a method's metadata by the method itself
      method: instance.run as AgentHandler['method'],
      call: async (piped) => {
        run.signal.throwIfAborted(); // guards and pipes may have taken their time
        return call(piped);
      },
    });
  }
}
