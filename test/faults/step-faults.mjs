/**
 * Faults in what steps, groups and suspensions promise; see faults.mjs.
 *
 * @type {readonly import('./faults.mjs').Fault[]}
 */
export const STEP_FAULTS = [
  {
    name: 'a run that is answered in the moment of its suspension is never taken up again',
    file: 'src/execution/run-runner.service.ts',
    search: 'current.isDueAgain = true;',
    replace: 'current.isDueAgain = false;',
    spec: 'test/execution/suspension-races.spec.ts',
    only: 'answered in the same moment',
  },
  {
    name: 'a group that is cancelled is over before what is in it',
    file: 'src/execution/function-step.ts',
    search: 'if (!isGroup) forced.resolve({ error, atWork: true });',
    replace: 'forced.resolve({ error, atWork: true });',
    spec: 'test/execution/group-retry.spec.ts',
    only: 'is over when all that is in it is',
  },
  {
    name: 'a group that is tried again leaves out what its first try has skipped',
    file: 'src/execution/step-log.ts',
    search: "path.startsWith(`${group}/`) && (state === 'skipped' || state === 'cancelled')",
    replace: "path.startsWith(`${group}/`) && state === 'cancelled'",
    spec: 'test/execution/group-retry.spec.ts',
    only: 'what was not done because of it',
  },
  {
    name: 'a pipeline has more agents at work than it may',
    file: 'src/execution/pipeline/places.ts',
    search: 'if (this.#free === 0) return',
    replace: 'if (this.#free === -1) return',
    spec: 'test/execution/pipeline-properties.spec.ts',
  },
  {
    name: 'a cancel that waits does not wait',
    file: 'src/execution/execution.service.ts',
    search: 'if (hasEnded || !options.wait) return run;',
    replace: 'if (hasEnded || !options.signal?.aborted) return run;',
    spec: 'test/e2e/cancel-everywhere.spec.ts',
    only: 'are down when a cancel that waits',
  },
];
