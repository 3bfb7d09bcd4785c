import { Module } from '@nestjs/common';
import { EventBus } from '../../events/event-bus.js';
import { PipelineModule } from '../pipeline/pipeline.module.js';
import { AgentsModule } from '../../agents/agents.module.js';
import { AgentLabel } from './agent-label.js';
import { MetricsRegistryModule } from './metrics-registry.module.js';
import { RunMeter } from './run-meter.service.js';

/** What is counted for `/metrics`. */
@Module({
  imports: [AgentsModule, PipelineModule, MetricsRegistryModule],
  providers: [AgentLabel, EventBus, RunMeter],
  exports: [AgentLabel, EventBus, RunMeter],
})
export class MetricsModule {}
