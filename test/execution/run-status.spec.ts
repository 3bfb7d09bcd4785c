import fc from 'fast-check';
import { canFollow, isTerminal, RUN_STATUSES, type RunStatus } from '../../src/execution/run-status.js';

describe('the states of a run', () => {
  it('never leave a terminal one, whatever is asked', () => {
    const anyStatus = fc.constantFrom(...RUN_STATUSES);
    fc.assert(
      fc.property(fc.array(anyStatus, { maxLength: 30 }), (wishes) => {
        let status: RunStatus = 'queued';
        let ended: RunStatus | undefined;
        for (const wish of wishes) {
          if (canFollow(status, wish)) status = wish;
          if (ended) expect(status).toBe(ended);
          if (isTerminal(status)) ended = status;
        }
      }),
    );
  });

  it('lead to an end from everywhere', () => {
    for (const status of RUN_STATUSES.filter((one) => !isTerminal(one))) {
      expect(RUN_STATUSES.some((next) => isTerminal(next) && canFollow(status, next))).toBe(true);
    }
  });

  it('bring a suspended run back through the queue only', () => {
    expect(canFollow('suspended', 'running')).toBe(false);
    expect(canFollow('suspended', 'queued')).toBe(true);
  });
});
