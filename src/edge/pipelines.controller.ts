import { Controller, Get, Param } from '@nestjs/common';
import { PipelineService } from '../execution/pipeline/pipeline.service.js';
import { CarrelError } from '../shared/errors.js';
import type { ListView } from './list-view.js';
import { ApiTags, Documented } from './openapi/api-decorators.js';

type PipelineDefinition = ReturnType<PipelineService['list']>[number];
type PipelineView = Pick<PipelineDefinition, 'name' | 'description' | 'inputSchema' | 'steps'>;

/** The pipelines of this server; the same for every caller. */
@ApiTags('Pipelines')
@Controller('v1/pipelines')
export class PipelinesController {
  constructor(private readonly pipelines: PipelineService) {}

  @Documented({
    summary: 'Pipelines that can be run by name',
    answers: { 200: { description: 'All pipelines of this server.', schema: 'PipelineList' } },
  })
  @Get()
  list(): ListView<PipelineView> {
    return { items: this.pipelines.list().map(toPipelineView) };
  }

  @Documented({
    summary: 'One pipeline',
    answers: { 200: { description: 'What it takes, and its steps in outline.', schema: 'Pipeline' } },
    problems: ['not_found'],
  })
  @Get(':name')
  find(@Param('name') name: string): PipelineView {
    const pipeline = this.pipelines.find(name);
    if (!pipeline) throw new CarrelError('not_found', 'there is no such pipeline');
    return toPipelineView(pipeline);
  }
}

function toPipelineView({ name, description, inputSchema, steps }: PipelineDefinition): PipelineView {
  return { name, description, inputSchema, steps };
}
