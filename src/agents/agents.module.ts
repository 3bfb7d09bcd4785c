import { Module } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { AgentInvoker } from './agent-invoker.service.js';
import { AgentRegistry } from './agent-registry.service.js';
import { WorkerAgents } from './worker/worker-agents.service.js';

/** Finds the agents of the whole application and calls them. */
@Module({
  imports: [DiscoveryModule],
  providers: [AgentRegistry, AgentInvoker, WorkerAgents],
  exports: [AgentRegistry, AgentInvoker, WorkerAgents],
})
export class AgentsModule {}
