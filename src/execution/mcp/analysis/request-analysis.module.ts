import { Module } from '@nestjs/common';
import { ToolsModule } from '../../tools/tools.module.js';
import { RequestAnalyser } from './request-analyser.service.js';
import { ToolIndexes } from './tool-indexes.service.js';

/** Finds out which tool a request needs. */
@Module({ imports: [ToolsModule], providers: [RequestAnalyser, ToolIndexes], exports: [RequestAnalyser] })
export class RequestAnalysisModule {}
