import { type ModuleMetadata, type Type } from '@nestjs/common';
import { ContextIdFactory } from '@nestjs/core';
import { Test, type TestingModule } from '@nestjs/testing';
import { AgentInvoker } from '../../src/agents/agent-invoker.service.js';
import type { AgentProvider } from '../../src/agents/agent-provider.js';
import { AgentRegistry } from '../../src/agents/agent-registry.service.js';
import { AgentsModule } from '../../src/agents/agents.module.js';
import { ContextModule } from '../../src/context/context.module.js';
import type { RecordingRun } from './recording-run.js';

/** A small Nest application with the real registry and invoker, and a run's way through them. */
export class AgentHost implements AsyncDisposable {
  private constructor(private readonly app: TestingModule) {}

  static async boot(...imports: NonNullable<ModuleMetadata['imports']>): Promise<AgentHost> {
    const app = await Test.createTestingModule({ imports: [ContextModule, AgentsModule, ...imports] }).compile();
    return new AgentHost(await app.init());
  }

  get registry(): AgentRegistry {
    return this.app.get(AgentRegistry);
  }

  /** Validates, resolves an instance in a DI sub-tree of its own, invokes. */
  async run(name: string, input: unknown, run: RecordingRun): Promise<unknown> {
    const definition = this.registry.get(name);
    const value = await definition.validate(input);
    const contextId = ContextIdFactory.create();
    this.app.registerRequestByContextId(run.context, contextId);
    const agentClass = definition.agentClass as unknown as Type<AgentProvider>;
    const instance = await this.app.resolve(agentClass, contextId, { strict: false });
    return this.app.get(AgentInvoker).invoke(definition, instance, { contextId }, value, run);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.app.close();
  }
}
