import { z } from 'zod';
import { Agent } from '../agent.decorator.js';
import type { AgentProvider } from '../agent-provider.js';
import type { AgentRun } from '../agent-run.js';
import { analysedText, cutSentence, type Gaps, SHOWN, triage, type Triage } from './analysis.js';
import { Pace } from './pace.js';
import { readDocument, type TextDocument } from './text-document.js';

const findGapsInput = z.strictObject({ ...analysedText.shape, triage });
type FindGapsInput = z.output<typeof findGapsInput>;

/** Words that stand where a figure or a date could → what to ask. The first that a sentence has counts. */
const VAGUE: readonly [RegExp, string][] = [
  [
    /\b(?<!\b(?:as|too|how|so) )(?:many|several|numerous|a few|few|some|most|various|lots of|plenty of|viele|einige|mehrere)\b/iu,
    'How many is',
  ],
  [
    /\b(?:significant\w*|considerabl\w*|substantial\w*|dramatic\w*|greatly|hugely|much (?:more|less|better|worse)|erheblich\w*)\b/iu,
    'How much is',
  ],
  [
    /\b(?<!\bas )(?:recently|soon|lately|in the past|in the future|at some point|eventually|shortly|bald|kürzlich)\b/iu,
    'When is',
  ],
  [
    /\b(?<!\b(?:as|too|how|so) )(?:often|frequently|rarely|sometimes|regularly|usually|oft|manchmal)\b/iu,
    'How often is',
  ],
  [
    /\b(?<!\b(?:as|too|how|so) )(?:fast|slow|quick|cheap|expensive|large|small|high|low)(?:er|est)?\b(?! than)/iu,
    'By which measure is it',
  ],
];
const LITTLE = 0.5;

@Agent({
  name: 'find-gaps',
  description:
    'Asks what a text leaves open: missing figures, comparisons and dates, and words that are vague where a number could stand.',
  input: findGapsInput,
  effect: 'idempotent',
})
export class FindGapsAgent implements AgentProvider<FindGapsInput, Gaps> {
  async run(input: FindGapsInput, run: AgentRun): Promise<Gaps> {
    const pace = new Pace(run.signal);
    const document = await readDocument(input.text, pace);
    const vague = await vagueIn(document, pace);
    const questions = [...missing(input.triage), ...vague].slice(0, SHOWN.questions);
    await run.thinking(`${questions.length} questions are open`);
    return { questions };
  }
}

function missing({ features, topics, words }: Triage): Gaps['questions'] {
  const subject = topics[0] === undefined ? 'the subject' : `"${topics[0]}"`;
  const questions: [isMissing: boolean, question: string, because: string][] = [
    [features.length < LITTLE, `What else is known about ${subject}?`, `the text has ${words} words`],
    [features.figures < LITTLE, `Which figures describe ${subject}, in which units?`, 'the text has few figures'],
    [features.comparisons < LITTLE, `What were the figures before, or elsewhere?`, 'hardly anything is compared'],
    [features.dates < LITTLE, `Which period does it cover, and when were the figures taken?`, 'the text has few dates'],
    [features.topics < LITTLE, `What is it mainly about?`, 'no subject comes back often enough to stand out'],
  ];
  return questions.filter(([isMissing]) => isMissing).map(([, question, because]) => ({ question, because }));
}

async function vagueIn({ sentences }: TextDocument, pace: Pace): Promise<Gaps['questions']> {
  const questions: Gaps['questions'] = [];
  await pace.each(sentences, ({ text }) => {
    if (/\d/.test(text)) return;
    for (const [words, ask] of VAGUE) {
      const word = words.exec(text)?.[0];
      if (word === undefined) continue;
      questions.push({ question: `${ask} "${word}"?`, because: `the text says: ${cutSentence(text)}` });
      return;
    }
  });
  return questions;
}
