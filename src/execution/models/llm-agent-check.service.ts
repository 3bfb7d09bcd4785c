import { Injectable, type OnModuleInit } from '@nestjs/common';
import { AgentRegistry } from '../../agents/agent-registry.service.js';
import type { AgentDefinition } from '../../agents/agent-definition.js';
import { CarrelError, isCarrelError } from '../../shared/errors.js';
import { LlmAgent } from './llm-agent.js';
import { ModelRegistry } from './providers/model-registry.service.js';
import { outputReader } from './structured-output.js';
import { whyNotToolPattern } from './tool-names.js';

/** Refuses at boot what would fail each run of an `LlmAgent`. */
@Injectable()
export class LlmAgentCheck implements OnModuleInit {
  constructor(
    private readonly agents: AgentRegistry,
    private readonly models: ModelRegistry,
  ) {}

  /** @throws CarrelError `unknown_model` | `invalid_agent`, naming the class */
  onModuleInit(): void {
    for (const { agentClass } of this.agents.list()) {
      if (!(agentClass.prototype instanceof LlmAgent)) continue;
      const agent = withoutDependencies(agentClass);
      if (agent) this.check(agentClass.name, agent);
    }
  }

  private check(className: string, { model, tools, output, maxModelCalls }: LlmAgent): void {
    try {
      this.models.get(model);
      if (output !== undefined) outputReader(output);
      const wrong = tools.map(whyNotToolPattern).find((reason) => reason !== undefined);
      if (wrong !== undefined) throw new CarrelError('invalid_agent', `its tools: ${wrong}`);
      if (!Number.isInteger(maxModelCalls) || maxModelCalls < 1) {
        throw new CarrelError('invalid_agent', 'its maxModelCalls must be a whole number from 1');
      }
    } catch (error) {
      if (!isCarrelError(error)) throw error;
      throw new CarrelError(error.code, `${className}: ${error.message}`, { cause: error, details: error.details });
    }
  }
}

/** An instance to look at. Undefined when the constructor does something with what it is given. */
function withoutDependencies(agentClass: AgentDefinition['agentClass']): LlmAgent | undefined {
  try {
    return Reflect.construct(agentClass as unknown as new () => LlmAgent, []);
  } catch {
    return undefined;
  }
}
