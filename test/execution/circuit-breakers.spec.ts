import { RetryableError, TerminalError } from '../../src/agents/agent-error.js';
import { CircuitBreakers } from '../../src/execution/circuit-breakers.js';
import { alice, bob, HeldClock } from '../contracts/storage-world.js';

const FLAKY = { name: 'flaky', breaker: { failures: 3, resetMs: 60_000 } };
const BROKEN = new RetryableError('the model is down');

describe('a circuit breaker', () => {
  let clock: HeldClock;
  let breakers: CircuitBreakers;

  beforeEach(() => {
    clock = new HeldClock();
    breakers = new CircuitBreakers(clock);
  });

  function fail(times: number, userId = alice, agent = FLAKY): void {
    for (let i = 0; i < times; i++) {
      using pass = breakers.enter(userId, agent);
      pass.failed(BROKEN);
    }
  }

  const refused = expect.objectContaining({ code: 'circuit_open' });

  it('lets attempts through until the agent has failed so often in a row', () => {
    fail(2);
    breakers.enter(alice, FLAKY).succeeded();
    fail(3);
    expect(() => breakers.enter(alice, FLAKY)).toThrow(refused);
  });

  it('says which agent is left alone and when to try again', () => {
    fail(3);
    clock.advance(18_500);
    expect(() => breakers.enter(alice, FLAKY)).toThrow(
      expect.objectContaining({ retryAfterMs: 41_500, message: expect.stringMatching(/"flaky".*try again in 42 s/) }),
    );
  });

  it("keeps alice's failures from bob, and one agent's from another", () => {
    fail(3);
    expect(() => breakers.enter(alice, FLAKY)).toThrow(refused);
    expect(() => breakers.enter(bob, FLAKY)).not.toThrow();
    expect(() => breakers.enter(alice, { ...FLAKY, name: 'steady' })).not.toThrow();
  });

  it('counts only what may be better next time', () => {
    for (let i = 0; i < 10; i++) breakers.enter(alice, FLAKY).failed(new TerminalError('not with this text'));
    expect(() => breakers.enter(alice, FLAKY)).not.toThrow();
    expect(breakers.size).toBe(0);
  });

  it('counts attempts that were under way together', () => {
    const passes = [1, 2, 3].map(() => breakers.enter(alice, FLAKY));
    for (const pass of passes) pass.failed(BROKEN);
    expect(() => breakers.enter(alice, FLAKY)).toThrow(refused);
  });

  it('lets one attempt through when its time is over, and closes when that succeeds', () => {
    fail(3);
    clock.advance(60_000);
    const trial = breakers.enter(alice, FLAKY);
    expect(() => breakers.enter(alice, FLAKY)).toThrow(refused);
    trial.succeeded();
    fail(2);
    expect(() => breakers.enter(alice, FLAKY)).not.toThrow();
  });

  it('stays open for as long again when the one attempt fails', () => {
    fail(3);
    clock.advance(60_000);
    fail(1);
    clock.advance(59_999);
    expect(() => breakers.enter(alice, FLAKY)).toThrow(refused);
    clock.advance(1);
    expect(() => breakers.enter(alice, FLAKY)).not.toThrow();
  });

  it('lets another attempt through when the one was cancelled', () => {
    fail(3);
    clock.advance(60_000);
    breakers.enter(alice, FLAKY)[Symbol.dispose]();
    expect(() => breakers.enter(alice, FLAKY)).not.toThrow();
  });

  it('takes no verdict from an attempt that began before it opened', () => {
    const [slowFailure, slowSuccess] = [breakers.enter(alice, FLAKY), breakers.enter(alice, FLAKY)];
    fail(3);
    clock.advance(30_000);
    slowFailure.failed(BROKEN);
    slowSuccess.succeeded();
    expect(() => breakers.enter(alice, FLAKY)).toThrow(expect.objectContaining({ retryAfterMs: 30_000 }));
  });

  it('takes one verdict of each attempt', () => {
    const pass = breakers.enter(alice, FLAKY);
    for (let i = 0; i < 3; i++) pass.failed(BROKEN);
    expect(() => breakers.enter(alice, FLAKY)).not.toThrow();
  });

  it('forgets failures that are long ago, but never while it is open', () => {
    fail(2);
    clock.advance(3_600_000 + 60_001);
    fail(1);
    expect(() => breakers.enter(alice, FLAKY)).not.toThrow();
    const patient = { name: 'patient', breaker: { failures: 1, resetMs: 24 * 3_600_000 } };
    fail(1, alice, patient);
    clock.advance(24 * 3_600_000 - 1);
    expect(() => breakers.enter(alice, patient)).toThrow(refused);
  });

  it('keeps nothing for agents that do not fail or have no breaker, and never more than its bound', () => {
    breakers.enter(alice, FLAKY).succeeded();
    breakers.enter(alice, { name: 'plain' }).failed(BROKEN);
    expect(breakers.size).toBe(0);
    for (let i = 0; i < 10_100; i++) fail(1, alice, { ...FLAKY, name: `agent-${i}` });
    expect(breakers.size).toBe(10_000);
  });
});
