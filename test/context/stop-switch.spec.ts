import { StopSwitch } from '../../src/context/stop-switch.js';

let followed = new AbortController();

describe('StopSwitch', () => {
  it('has the same end whether its signal is asked for before or after', () => {
    const [early, late] = [new StopSwitch(), new StopSwitch()];
    const before = early.signal;
    for (const each of [early, late]) {
      each.abort('first');
      each.abort('second');
    }
    expect([before.reason, early.signal.reason, late.signal.reason]).toEqual(['first', 'first', 'first']);
    expect(early.signal).toBe(before);
    expect(() => late.throwIfAborted()).toThrow('first');
  });

  it.each([
    ['its own', () => new StopSwitch(), (stop: StopSwitch) => stop.abort('over')],
    ['a signal that it follows', () => new StopSwitch(followed.signal), () => followed.abort('over')],
  ])('tells those who listen of %s, once, and nobody who has gone', (_, make, abort) => {
    followed = new AbortController();
    const stop = make();
    const heard: unknown[] = [];
    stop.onStop((reason) => heard.push(reason));
    stop.onStop(() => heard.push('gone'))();
    expect(stop.aborted).toBe(false);
    abort(stop);
    abort(stop);
    expect(heard).toEqual(['over']);
    stop.onStop((reason) => heard.push(reason)); // it is over already
    expect(heard).toEqual(['over', 'over']);
    expect(stop.aborted).toBe(true);
  });
});
