import { Module } from '@nestjs/common';
import { EventBus } from '../../events/event-bus.js';
import { PipelineModule } from '../pipeline/pipeline.module.js';
import { AgentsModule } from '../../agents/agents.module.js';
import { AgentLabel } from './agent-label.js';
import { MetricsRegistry } from './metrics-registry.js';
import { RunMeter } from './run-meter.service.js';

/** What is counted for `/metrics`. */
@Module({
  imports: [AgentsModule, PipelineModule],
  providers: [AgentLabel, EventBus, MetricsRegistry, RunMeter],
  exports: [AgentLabel, EventBus, MetricsRegistry, RunMeter],
})
export class MetricsModule {}
