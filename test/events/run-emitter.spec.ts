import type { EventJournal } from '../../src/events/event-journal.port.js';
import { RunEmitter } from '../../src/events/run-emitter.js';
import { CarrelError } from '../../src/shared/errors.js';
import { newId, type CallId } from '../../src/shared/ids.js';
import { alice, HeldClock } from '../contracts/storage-world.js';
import { ScriptedJournal } from './scripted-journal.js';

const nextTick = () => new Promise((resolve) => setImmediate(resolve));

describe('the emitter of a run', () => {
  let journal: ScriptedJournal;
  let clock: HeldClock;
  let lost: unknown[];

  beforeEach(() => {
    journal = new ScriptedJournal();
    clock = new HeldClock();
    lost = [];
  });

  function emitterWith(maxDataBytes = 32_768): RunEmitter {
    const target = { userId: alice, runId: newId('run'), fence: 1 };
    return new RunEmitter(target, journal as unknown as EventJournal, clock, maxDataBytes, (error) => lost.push(error));
  }

  const thought = (n: number) => ({ thought: String(n) });
  const thoughts = (story: { data: Record<string, unknown> }[]) => story.map(({ data }) => data.thought);

  it('writes what arises in one tick as one write, in the order of the calls', async () => {
    const emitter = emitterWith();
    for (let n = 1; n <= 5; n++) void emitter.emit('agent_thinking', 1, thought(n));
    await nextTick();
    expect(journal.writes).toEqual([5]);
    expect(thoughts(journal.story())).toEqual(['1', '2', '3', '4', '5']);
  });

  it('hands over what was not written yet, after what is on its way, and takes nothing more', async () => {
    const emitter = emitterWith();
    const held = Promise.withResolvers<void>();
    journal.gate = held.promise;
    void emitter.emit('agent_thinking', 1, thought(1));
    await nextTick();
    void emitter.emit('agent_thinking', 1, thought(2));
    const closing = emitter.close();
    await expect(emitter.emit('agent_thinking', 1, thought(3))).rejects.toMatchObject({ code: 'run_closed' });
    await expect(emitter.addDelta(1, 'late')).rejects.toMatchObject({ code: 'run_closed' });
    held.resolve();
    expect(thoughts(journal.story(await closing))).toEqual(['1', '2']);
    expect(journal.writes).toEqual([1]);
  });

  it('has one write under way at a time, so that a failed one loses nothing and is not overtaken', async () => {
    const emitter = emitterWith();
    const held = Promise.withResolvers<void>();
    journal.gate = held.promise;
    journal.failures.push(new Error('the disk is full'));
    void emitter.emit('agent_thinking', 1, thought(1));
    await nextTick();
    void emitter.emit('agent_thinking', 1, thought(2));
    await nextTick();
    held.resolve();
    await nextTick();
    expect(journal.writes).toEqual([1]);
    expect(lost).toEqual([expect.objectContaining({ message: 'the disk is full' })]);
    await expect(emitter.emit('agent_thinking', 1, thought(3))).rejects.toMatchObject({ code: 'run_closed' });
    expect(thoughts(journal.story(await emitter.close()))).toEqual(['1', '2']);
  });

  it('keeps what a failing write had when the run ends in the middle of it', async () => {
    const emitter = emitterWith();
    const held = Promise.withResolvers<void>();
    journal.gate = held.promise;
    journal.failures.push(new Error('the disk is full'));
    void emitter.emit('agent_thinking', 1, thought(1));
    await nextTick();
    void emitter.emit('agent_thinking', 1, thought(2));
    const closing = emitter.close();
    held.resolve();
    expect(thoughts(journal.story(await closing))).toEqual(['1', '2']);
  });

  it('makes an agent wait that is far ahead of the disk', async () => {
    const emitter = emitterWith();
    const held = Promise.withResolvers<void>();
    journal.gate = held.promise;
    for (let n = 1; n < 64; n++) await emitter.emit('agent_thinking', 1, thought(n));
    let isWaiting = true;
    const waiting = emitter.emit('agent_thinking', 1, thought(64)).then(() => (isWaiting = false));
    await nextTick();
    await nextTick();
    expect(isWaiting).toBe(true);
    held.resolve();
    await waiting;
    expect(journal.drafts).toHaveLength(64);
  });

  it('gives up an agent that emits without ever waiting, and keeps what it had taken', async () => {
    const emitter = emitterWith();
    const refused: unknown[] = [];
    for (let n = 1; n <= 2_000; n++)
      emitter.emit('agent_thinking', 1, thought(n)).catch((error) => refused.push(error));
    await nextTick();
    expect(lost).toEqual([expect.any(CarrelError)]);
    expect(lost[0]).toMatchObject({ code: 'agent_failed', retryable: false });
    expect(refused).toHaveLength(1_000);
    const story = journal.story(await emitter.close());
    expect(thoughts(story)).toEqual(Array.from({ length: 1_000 }, (_, i) => String(i + 1)));
  });

  it('still takes the end of a call that it had let in, when it takes nothing else any more', async () => {
    const emitter = emitterWith();
    const callId = 'call_1' as CallId;
    void emitter.emit('tool_executing', 1, { callId, tool: 'look', arguments: {} });
    for (let n = 1; n <= 1_000; n++) void emitter.emit('agent_thinking', 1, thought(n));
    expect(lost).toHaveLength(1);
    await emitter.emit('tool_completed', 1, { callId, outcome: 'error', result: 'given up', durationMs: 1 });
    expect(journal.story(await emitter.close()).at(-1)).toMatchObject({ type: 'tool_completed' });
  });

  describe('with deltas', () => {
    it('gathers what comes within a few milliseconds into one event', async () => {
      const emitter = emitterWith();
      for (const text of ['Once ', 'upon ', 'a time']) await emitter.addDelta(1, text);
      await nextTick();
      expect(journal.story()).toEqual([]);
      clock.advance(15);
      await nextTick();
      expect(journal.story()).toEqual([
        { type: 'agent_message_delta', attempt: 1, data: { text: 'Once upon a time' } },
      ]);
      expect(clock.pending).toEqual([]);
    });

    it('keeps the order between deltas and other events', async () => {
      const emitter = emitterWith();
      void emitter.addDelta(1, 'first');
      void emitter.emit('agent_thinking', 1, thought(2));
      void emitter.addDelta(1, 'third');
      const story = journal.story(await emitter.close());
      expect(story.map(({ data }) => data.text ?? data.thought)).toEqual(['first', '2', 'third']);
    });

    it("says of each attempt's deltas which attempt's they are", async () => {
      const emitter = emitterWith();
      void emitter.addDelta(1, 'first');
      void emitter.emit('agent_thinking', 2, thought(2));
      void emitter.addDelta(2, 'second');
      void emitter.addDelta(3, 'third');
      expect(journal.story(await emitter.close()).map(({ attempt }) => attempt)).toEqual([1, 2, 2, 3]);
    });

    it('leaves no timer behind, however it ends', async () => {
      const closed = emitterWith();
      void closed.addDelta(1, 'text');
      await closed.close();
      const failed = emitterWith();
      journal.failures.push(new Error('the disk is full'));
      void failed.emit('agent_thinking', 1, thought(1));
      void failed.addDelta(1, 'text');
      await nextTick();
      await nextTick();
      expect(lost).toHaveLength(1);
      expect(clock.pending).toEqual([]);
    });

    it.each([1_024, 32_768])('cuts none of a long text where an event has at most %d bytes', async (maxDataBytes) => {
      const emitter = emitterWith(maxDataBytes);
      const text = '\u0001é😀x'.repeat(5_000);
      void emitter.addDelta(1, text);
      const drafts = await emitter.close();
      for (const { data } of drafts) expect(Buffer.byteLength(data)).toBeLessThanOrEqual(maxDataBytes);
      expect(
        journal
          .story(drafts)
          .map(({ data }) => data.text)
          .join(''),
      ).toBe(text);
    });
  });
});
