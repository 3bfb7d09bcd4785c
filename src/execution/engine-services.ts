import { Injectable } from '@nestjs/common';
import type { AgentDefinition } from '../agents/agent-definition.js';
import { AgentInvoker } from '../agents/agent-invoker.service.js';
import { AgentRegistry } from '../agents/agent-registry.service.js';
import { plainCopy } from '../shared/json.js';
import type { Callee } from './agent-call.js';
import { CircuitBreakers } from './circuit-breakers.js';
import { HookChain } from './hooks/hook-chain.service.js';
import { Switchboard } from './operations/switchboard.js';
import { ToolCalls } from './tools/tool-calls.service.js';

/** What every engine works with, whoever's run it carries out. */
@Injectable()
export class EngineServices {
  private readonly callees = new WeakMap<AgentDefinition, Callee>();

  constructor(
    readonly registry: AgentRegistry,
    readonly invoker: AgentInvoker,
    readonly breakers: CircuitBreakers,
    readonly hooks: HookChain,
    readonly tools: ToolCalls,
    readonly switchboard: Switchboard,
  ) {}

  /** How an agent is called: the same for every run, so it is made once for each definition. */
  calleeOf(definition: AgentDefinition): Callee {
    let callee = this.callees.get(definition);
    if (!callee) this.callees.set(definition, (callee = this.newCallee(definition)));
    return callee;
  }

  private newCallee(definition: AgentDefinition): Callee {
    const { invoker } = this;
    return {
      ...definition,
      async work(raw, scope, run) {
        const input = await definition.validate(plainCopy(raw)); // what this agent does to it, the next attempt's must not see
        const made = definition.make?.(scope.context);
        const instance = made ? scope.adopt(made) : await scope.resolve(definition.agentClass);
        run.context.throwIfStopped(); // schema and injected providers may have taken their time
        return invoker.invoke(definition, instance, scope, input, run);
      },
    };
  }
}
