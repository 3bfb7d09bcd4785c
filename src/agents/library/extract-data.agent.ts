import { Agent } from '../agent.decorator.js';
import type { AgentProvider } from '../agent-provider.js';
import type { AgentRun } from '../agent-run.js';
import { type AnalysedText, analysedText, SHOWN, type TextData } from './analysis.js';
import { Pace } from './pace.js';
import { readDocument } from './text-document.js';
import { countablesOf } from './text-figures.js';

@Agent({
  name: 'extract-data',
  description:
    'Finds the figures of a text with their units, also those in tables, what it says has changed or is compared, and the dates; each with the sentence it stands in.',
  input: analysedText,
  example: { text: 'Visitors grew from 8,000 to 10,000 in 2025. A ticket costs € 12. Guided tours fell by 20 %.' },
  effect: 'idempotent',
})
export class ExtractDataAgent implements AgentProvider<AnalysedText, TextData> {
  async run({ text }: AnalysedText, run: AgentRun): Promise<TextData> {
    const pace = new Pace(run.signal);
    const { figures, changes, dates } = await countablesOf(text, await readDocument(text, pace), pace);
    await run.thinking(
      `Found ${figures.length} figures, ${changes.length} changes or comparisons and ${dates.length} dates`,
    );
    return {
      figures: figures.slice(0, SHOWN.figures),
      changes: changes.slice(0, SHOWN.changes),
      dates: dates.slice(0, SHOWN.dates),
      counts: { figures: figures.length, changes: changes.length, dates: dates.length },
    };
  }
}
