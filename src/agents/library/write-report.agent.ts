import { z } from 'zod';
import { Agent } from '../agent.decorator.js';
import type { AgentProvider } from '../agent-provider.js';
import type { AgentRun } from '../agent-run.js';
import { actions, findings, gaps, type TextData, textData, triage } from './analysis.js';

const reportInput = z.strictObject({
  title: z.string().max(200).optional(),
  triage,
  data: textData.nullable(),
  findings: findings.shape.findings.nullable(),
  actions: actions.shape.actions.nullable(),
  questions: gaps.shape.questions.nullable(),
});
type ReportInput = z.output<typeof reportInput>;

export interface Report {
  /** Markdown. */
  report: string;
}

const SHOWN_FIGURES = 15;
const SHOWN_CHANGES = 10;

@Agent({
  name: 'write-report',
  description: 'Writes up what the analysis of a text has found, as Markdown.',
  input: reportInput,
  effect: 'idempotent',
})
export class WriteReportAgent implements AgentProvider<ReportInput, Report> {
  async run(input: ReportInput, run: AgentRun): Promise<Report> {
    const sections = [
      heading(input),
      section(
        'What stands out',
        input.findings?.map(({ finding, position }) => `${escaped(finding)}${at(position)}`),
      ),
      section(
        'What is to be done',
        input.actions?.map(
          ({ action, kind, due, position }) =>
            `**${kind}**${due === undefined ? '' : ` (${due})`}: ${escaped(action)}${at(position)}`,
        ),
      ),
      section(
        'What has changed',
        sentencesOf(input.data)
          .slice(0, SHOWN_CHANGES)
          .map(({ sentence, position }) => `${escaped(sentence)}${at(position)}`),
      ),
      section(
        'Figures',
        input.data?.figures
          .slice(0, SHOWN_FIGURES)
          .map(({ text, sentence, position }) => `**${escaped(text)}**: ${escaped(sentence)}${at(position)}`),
      ),
      section(
        'What is missing',
        input.questions?.map(({ question, because }) => `${escaped(question)} (${escaped(because)})`),
      ),
    ];
    const report = `${sections.filter((part) => part !== '').join('\n\n')}\n`;
    await run.thinking(`Wrote a report of ${report.length} characters`);
    return { report };
  }
}

function heading({ title, triage: { kind, words, sentences, topics, sufficiency, language } }: ReportInput): string {
  const about = topics.length === 0 ? '' : ` It is about ${topics.map((topic) => `*${escaped(topic)}*`).join(', ')}.`;
  const needs = `It has ${Math.round(sufficiency * 100)} % of what an analysis needs.`;
  const described = `The text reads as ${kind === 'notes' ? 'notes' : `${kind === 'article' ? 'an' : 'a'} ${kind}`} of ${words} words in ${sentences} sentences (language: ${language}).`;
  return `# Analysis${title === undefined ? '' : ` of ${escaped(title)}`}\n\n${described}${about} ${needs}`;
}

function section(title: string, lines: readonly string[] | undefined): string {
  return lines === undefined || lines.length === 0
    ? ''
    : `## ${title}\n\n${lines.map((line) => `- ${line}`).join('\n')}`;
}

/** A sentence that tells of several changes is shown once. */
function sentencesOf(data: TextData | null): TextData['changes'] {
  const changes = data?.changes ?? [];
  return changes.filter((change, i) => change.sentence !== changes[i - 1]?.sentence);
}

/** Tables have no sentences to count. */
function at(position: number): string {
  return position === 0 ? ' (in a table)' : ` (sentence ${position})`;
}

/** What comes from the text is text, whatever it looks like. */
function escaped(text: string): string {
  return text.replace(/\s+/g, ' ').replace(/[\\`*_[\]<>#|]/g, String.raw`\$&`);
}
