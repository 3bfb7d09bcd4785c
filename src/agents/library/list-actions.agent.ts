import { z } from 'zod';
import { Agent } from '../agent.decorator.js';
import type { AgentProvider } from '../agent-provider.js';
import type { AgentRun } from '../agent-run.js';
import { type Actions, analysedText, cutSentence, findings, type Findings, SHOWN } from './analysis.js';
import { datesIn } from './dates.js';
import { Pace } from './pace.js';
import { readDocument } from './text-document.js';

const listActionsInput = z.strictObject({ ...analysedText.shape, ...findings.partial().shape });
type ListActionsInput = z.output<typeof listActionsInput>;
type Action = Actions['actions'][number];

/** How a sentence says that something is to be done, the strongest first. */
const SIGNS: readonly [Action['kind'], RegExp][] = [
  [
    'required',
    /\b(?:must(?! not have)|has to|have to|is required to|are required to|needs? to|to-?do|action(?: item)?:|muss|müssen)\b/iu,
  ],
  [
    'recommended',
    /\b(?:should|ought to|recommend\w*|suggest\w*|propose\w*|advise\w*|please|let us|let's|consider|soll\w*|empfehl\w*)\b/iu,
  ],
  [
    'planned',
    /\b(?:will (?!be able)|plans? to|intends? to|is going to|are going to|is scheduled|are scheduled|next step\w*)\b/iu,
  ],
];
const LOOKED_INTO = 3;

@Agent({
  name: 'list-actions',
  description:
    'Lists what a text says must, should or is going to be done, with the dates it is due, and which of the given findings to look into.',
  input: listActionsInput,
  example: {
    text: 'The gate must be repaired before Friday. Visitors should book in advance. We will hire a second guide in May 2026.',
  },
  effect: 'idempotent',
})
export class ListActionsAgent implements AgentProvider<ListActionsInput, Actions> {
  async run(input: ListActionsInput, run: AgentRun): Promise<Actions> {
    const pace = new Pace(run.signal);
    const { sentences } = await readDocument(input.text, pace);
    const found: Action[] = [];
    await pace.each(sentences, ({ text, position }) => {
      const [kind] = SIGNS.find(([, sign]) => sign.test(text)) ?? [];
      if (kind === undefined || text.endsWith('?')) return;
      const [due] = datesIn(text);
      found.push({ action: cutSentence(text), kind, ...(due !== undefined && { due }), position });
    });
    const rank = (action: Action) => SIGNS.findIndex(([kind]) => kind === action.kind);
    const listed = [...found.toSorted((a, b) => rank(a) - rank(b)), ...questionsOf(input.findings ?? [])];
    await run.thinking(`Found ${found.length} sentences that ask for something to be done`);
    return { actions: listed.slice(0, SHOWN.actions) };
  }
}

function questionsOf(all: Findings['findings']): Action[] {
  return all
    .filter(({ kind }) => kind !== 'largest')
    .slice(0, LOOKED_INTO)
    .map(({ finding, position }) => ({ action: `Find out why: ${finding}`, kind: 'to look into', position }));
}
