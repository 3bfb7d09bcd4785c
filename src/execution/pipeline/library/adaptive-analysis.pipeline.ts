// oxlint-disable no-shadow -- a function's parameters have the names of the steps that they are the results of
import { type AnalysedText, analysedText } from '../../../agents/library/analysis.js';
import { ExtractDataAgent } from '../../../agents/library/extract-data.agent.js';
import { FindGapsAgent } from '../../../agents/library/find-gaps.agent.js';
import { ListActionsAgent } from '../../../agents/library/list-actions.agent.js';
import { RankFindingsAgent } from '../../../agents/library/rank-findings.agent.js';
import { TriageAgent } from '../../../agents/library/triage.agent.js';
import { WriteReportAgent } from '../../../agents/library/write-report.agent.js';
import { Pipeline } from '../pipeline.decorator.js';
import type { PipelineBuilder } from '../pipeline-builder.js';
import type { PipelineProvider } from '../pipeline-provider.js';

const SUFFICIENT = 0.8;
const PARTIAL = 0.4;

/** What the text has decides how far its analysis goes. */
@Pipeline({
  name: 'adaptive-analysis',
  description:
    'Analyses a text or report as far as what it says allows: with enough figures up to ranked findings and actions, with some up to the data and what is missing, with few only what is missing. Gives a report in Markdown.',
  input: analysedText,
})
export class AdaptiveAnalysisPipeline implements PipelineProvider<AnalysedText> {
  define(p: PipelineBuilder<AnalysedText>) {
    const triage = p.agent('triage', TriageAgent, { input: ({ input }) => input });
    const gaps = p.agent('data-helper', FindGapsAgent, {
      dependsOn: { triage },
      when: ({ triage }) => triage.sufficiency < SUFFICIENT,
      input: ({ input, triage }) => ({ ...input, triage }),
    });
    const data = p.agent('data', ExtractDataAgent, {
      dependsOn: { triage, gaps },
      when: ({ triage }) => triage.sufficiency >= PARTIAL,
      input: ({ input }) => input,
    });
    const findings = p.agent('optimisation', RankFindingsAgent, {
      dependsOn: { triage, data },
      when: ({ triage, data }) => triage.sufficiency >= SUFFICIENT && data !== null,
      input: ({ data }) => data!,
    });
    const actions = p.agent('actions', ListActionsAgent, {
      dependsOn: { findings },
      when: ({ findings }) => findings !== null,
      input: ({ input, findings }) => ({ ...input, findings: findings?.findings ?? [] }),
    });
    const report = p.agent('report', WriteReportAgent, {
      dependsOn: { triage, gaps, data, findings, actions },
      input: ({ input, triage, gaps, data, findings, actions }) => ({
        ...(input.title !== undefined && { title: input.title }),
        triage,
        data,
        findings: findings?.findings ?? null,
        actions: actions?.actions ?? null,
        questions: gaps?.questions ?? null,
      }),
    });
    return p.output({ triage, report }, ({ triage, report }) => ({
      sufficiency: triage.sufficiency,
      data: sufficiencyWord(triage.sufficiency),
      report: report.report,
    }));
  }
}

function sufficiencyWord(share: number): 'sufficient' | 'partial' | 'insufficient' {
  if (share >= SUFFICIENT) return 'sufficient';
  return share >= PARTIAL ? 'partial' : 'insufficient';
}
