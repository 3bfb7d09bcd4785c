/**
 * Faults that only a real kill -9 brings to light.
 *
 * @type {readonly import('./faults.mjs').Fault[]}
 */
export const CRASH_FAULTS = [
  {
    name: 'the outcome of a step is not recorded',
    file: 'src/execution/end-step.ts',
    search: 'state: end.outcome,',
    replace: "state: 'started',",
    spec: 'test/e2e/durable-crash-walk.spec.ts',
    only: 'killed after',
    built: true,
  },
  {
    name: 'a step that must be done once is begun before that is recorded',
    file: 'src/execution/begin-step.ts',
    search: "if (effect === 'once') return",
    replace: "if (path === '') return",
    spec: 'test/e2e/durable-crash-walk.spec.ts',
    only: 's3 .once., killed inside',
    built: true,
  },
  {
    name: 'a step that was interrupted rests with its run',
    file: 'src/execution/user-execution-engine.ts',
    search: 'const interrupted = this.state.log.interrupted();',
    replace: 'const interrupted: string[] = [];',
    spec: 'test/e2e/durable-crash-waits.spec.ts',
    only: 'asks about each step that must be done once',
    built: true,
  },
  {
    name: 'a step that was interrupted is done again unasked',
    file: 'src/execution/begin-step.ts',
    search: "recorded.state === 'started' && recorded.effect === 'once'",
    replace: "recorded.path === ''",
    spec: 'test/e2e/durable-crash-walk.spec.ts',
    only: 's3 .once., killed ended',
    built: true,
  },
  {
    name: 'a step has another key when it is done again',
    file: 'src/execution/function-step.ts',
    search: 'const idempotencyKey = `${host.context.runId}:${begun.path}`;',
    replace: 'const idempotencyKey = `${host.context.runId}:${begun.path}:${host.context.attempt}`;',
    spec: 'test/e2e/durable-crash-walk.spec.ts',
    only: 'in a journal without a gap',
    built: true,
  },
  {
    name: 'what is recorded of a run that rested is not found again',
    file: 'src/execution/run-runner.service.ts',
    search: 'let recorded = run.hasSteps ?',
    replace: 'let recorded = run.hasSteps && !run.resumed ?',
    spec: 'test/e2e/durable-crash-waits.spec.ts',
    only: 'goes on with .* answer,',
    built: true,
  },
  {
    name: 'recovery forgets who waits for a place or a slot',
    file: 'src/execution/recovery.service.ts',
    search: `await this.dispatcher.dispatch(ref);
    } catch`,
    replace: `if (wasRunning) await this.dispatcher.dispatch(ref);
    } catch`,
    spec: 'test/e2e/durable-crash-waits.spec.ts',
    only: 'goes on with .* answer,',
    built: true,
  },
  {
    name: 'that a fallback has answered is forgotten',
    file: 'src/storage/step-row.ts',
    search: 'const outcome: StoredStepOutcome = { result, degraded, error, reason, usage };',
    replace: 'const outcome: StoredStepOutcome = { result, error, reason, usage };',
    spec: 'test/e2e/durable-crash-waits.spec.ts',
    only: 'never calls a run completed',
    built: true,
  },
  {
    name: 'a run that rests often is taken for one that ends the process',
    file: 'src/execution/run-runner.service.ts',
    search: 'Math.min(run.attempt, run.fence / 2) < MAX_CRASHES',
    replace: 'run.fence / 2 < MAX_CRASHES',
    spec: 'test/e2e/durable-crash-waits.spec.ts',
    only: 'was answered many times',
    built: true,
  },
];
