import type { StepRecord } from '../events/step-record.js';
import { CarrelError } from '../shared/errors.js';
import type { JsonObject, JsonValue } from '../shared/json.js';
import { endStep, type StepWorkEnd } from './end-step.js';
import type { StepHost, StepInProgress } from './step-host.js';
import type { StepEnd } from './step-scope.js';
import { askStep } from './waiting-step.js';

const ANSWER_SCHEMA: JsonObject = {
  type: 'object',
  properties: {
    action: { enum: ['again', 'done', 'fail'] },
    result: { description: 'With "done": what the step is taken to have returned.' },
  },
  required: ['action'],
  additionalProperties: false,
};

/** Where its owner is asked what has become of a step's try of that number. */
function questionPath(path: string, attempts: number): string {
  return `${path}/interrupted-${attempts}`;
}

/**
 * A step that must be done once was under way when the process or the attempt ended, and nobody can know what has become of
 * it: its owner is asked whether it is to be done again, was done, or has failed.
 *
 * @returns the end that the owner decided on; undefined when it is to be done again
 */
export async function askWhetherAgain(
  host: StepHost,
  step: StepInProgress,
  record: StepRecord,
): Promise<StepEnd | undefined> {
  const path = questionPath(record.path, record.attempts);
  const name = record.path.replace(/^.*[/:]/, '');
  const { decision, answer } = await askStep(host, step, path, {
    kind: 'question',
    title: `"${name}" was interrupted, and must not be done twice. What has become of it?`,
    details: { step: record.path, startedAt: new Date(record.startedAtMs).toISOString(), attempt: record.attempts },
    schema: ANSWER_SCHEMA,
  });
  const { action, result } = (decision === 'answered' ? answer : {}) as { action?: string; result?: JsonValue };
  if (action === 'again') return undefined;
  const cause = new CarrelError('step_not_done', `"${name}" was interrupted, and is not to be done again`);
  const { attempts } = record;
  const end: StepWorkEnd =
    action === 'done' ? { outcome: 'ok', value: result, attempts } : { outcome: 'failed', cause, attempts };
  const { kind, effect } = record;
  return endStep(host, { path: record.path, kind, effect, record }, end);
}
