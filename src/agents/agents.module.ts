import { Module } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { AgentInvoker } from './agent-invoker.service.js';
import { AgentRegistry } from './agent-registry.service.js';

/** Finds the agents of the whole application and calls them. */
@Module({
  imports: [DiscoveryModule],
  providers: [AgentRegistry, AgentInvoker],
  exports: [AgentRegistry, AgentInvoker],
})
export class AgentsModule {}
