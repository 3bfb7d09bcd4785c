import { Module } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { AgentInvoker } from './agent-invoker.service.js';
import { AgentRegistry } from './agent-registry.service.js';
import { AgentToolInvoker } from './tools/agent-tool-invoker.service.js';
import { AgentToolRegistry } from './tools/agent-tool-registry.service.js';
import { WorkerAgents } from './worker/worker-agents.service.js';

/** Finds the agents of the whole application, and its tools for agents, and calls them. */
@Module({
  imports: [DiscoveryModule],
  providers: [AgentRegistry, AgentInvoker, AgentToolInvoker, AgentToolRegistry, WorkerAgents],
  exports: [AgentRegistry, AgentInvoker, AgentToolInvoker, AgentToolRegistry, WorkerAgents],
})
export class AgentsModule {}
