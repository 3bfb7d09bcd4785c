import { Module } from '@nestjs/common';
import { ExtractDataAgent } from './extract-data.agent.js';
import { FindGapsAgent } from './find-gaps.agent.js';
import { ListActionsAgent } from './list-actions.agent.js';
import { RankFindingsAgent } from './rank-findings.agent.js';
import { TriageAgent } from './triage.agent.js';
import { WriteReportAgent } from './write-report.agent.js';

/** The agents that analyse a text, each by itself or together in the pipeline `adaptive-analysis`. */
@Module({
  providers: [TriageAgent, ExtractDataAgent, FindGapsAgent, RankFindingsAgent, ListActionsAgent, WriteReportAgent],
})
export class AnalysisModule {}
