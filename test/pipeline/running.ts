import { CarrelError } from '../../src/shared/errors.js';
import type { JsonValue } from '../../src/shared/json.js';
import type { Work } from './memory-scope.js';

/** Agents that behave in one way each, and what became of a pipeline of them. */

export const any = (name: string, rest: object = {}) => ({ name, agent: 'any', ...rest });
export const echo: Work = ({ input }) => Promise.resolve(input as JsonValue);
/** Ends when it is cancelled, and only then. */
export const never: Work = ({ signal }) =>
  new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true }));
export const failing = (message: string): Promise<never> => Promise.reject(new CarrelError('agent_failed', message));

export const outcomes = (steps: readonly { step: string; outcome: string; reason?: string }[]) =>
  steps.map(({ step, outcome, reason }) => `${step} ${outcome}${reason === undefined ? '' : `: ${reason}`}`);

export async function failureOf(running: Promise<unknown>): Promise<{ message: string; steps: string[] }> {
  const error = await running.then(
    () => undefined,
    (reason: unknown) => reason as CarrelError,
  );
  expect(error).toMatchObject({ code: 'pipeline_failed' });
  return {
    message: error!.message,
    steps: outcomes(error!.details?.['steps'] as unknown as { step: string; outcome: string }[]),
  };
}
