import { Module } from '@nestjs/common';
import { AnalysisModule } from '../../../agents/library/analysis.module.js';
import { AdaptiveAnalysisPipeline } from './adaptive-analysis.pipeline.js';

/** The pipelines that ship with the server, and the agents that they are made of. */
@Module({ imports: [AnalysisModule], providers: [AdaptiveAnalysisPipeline] })
export class PipelineLibraryModule {}
