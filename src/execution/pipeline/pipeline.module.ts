import { Module } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { AgentsModule } from '../../agents/agents.module.js';
import { PipelineRegistry } from './pipeline-registry.service.js';
import { PipelineService } from './pipeline.service.js';

/** Finds the pipelines of the whole application, and checks those that come with a request. */
@Module({
  imports: [AgentsModule, DiscoveryModule],
  providers: [PipelineRegistry, PipelineService],
  exports: [PipelineRegistry, PipelineService],
})
export class PipelineModule {}
