import { consumeParts, isPartStream } from '../../src/agents/consume-parts.js';
import type { AgentPart } from '../../src/agents/agent-provider.js';
import { contextOf, RecordingRun } from './recording-run.js';

const alice = () => new RecordingRun(contextOf('alice'));

async function* parts(list: readonly unknown[], result?: unknown) {
  for (const part of list) yield part as AgentPart;
  return result;
}

async function* failing() {
  yield 'a';
  throw new Error('own');
}

async function* unclean() {
  try {
    yield 'a';
  } finally {
    // oxlint-disable-next-line no-unsafe-finally
    throw new Error('clean-up');
  }
}

describe('a generating agent', () => {
  it('emits texts and thoughts in the order of its parts', async () => {
    const run = alice();
    const list = ['a', { type: 'thinking', thought: 'hm', step: 2, progress: 0.5 }, { type: 'delta', text: 'b' }];
    expect(await consumeParts(parts(list, { done: true }), run)).toEqual({ done: true });
    expect(run.deltas).toEqual(['a', 'b']);
    expect(run.thoughts).toEqual([{ thought: 'hm', step: 2, progress: 0.5 }]);
  });

  it('that returns nothing has its text as the result; one that says nothing either has none', async () => {
    expect(await consumeParts(parts(['a', { type: 'delta', text: 'b' }]), alice())).toEqual({ text: 'ab' });
    expect(await consumeParts(parts([]), alice())).toBeUndefined();
    expect(await consumeParts(parts(['a'], null), alice())).toBeNull();
  });

  it('that yields without end and returns nothing fills no memory', async () => {
    const chunk = 'x'.repeat(100_000);
    await expect(consumeParts(parts(Array.from({ length: 11 }, () => chunk)), alice())).rejects.toMatchObject({
      code: 'invalid_result',
    });
    await expect(
      consumeParts(
        parts(
          Array.from({ length: 11 }, () => chunk),
          'ok',
        ),
        alice(),
      ),
    ).resolves.toBe('ok');
  });

  it.each([
    [42, 'a value of type number'],
    [null, 'null'],
    [{ type: 'image', secret: 's3cret' }, 'an object of type "image"'],
    [{ type: 'delta' }, 'an object of type "delta"'],
    [{ text: 'x' }, 'an object without a type'],
    [['x'], 'a list'],
  ])('that yields %j is told what that is, and cleans up', async (part, words) => {
    let cleaned = false;
    async function* agent() {
      try {
        yield part as AgentPart;
      } finally {
        cleaned = true;
      }
    }
    await expect(consumeParts(agent(), alice())).rejects.toMatchObject({
      code: 'invalid_result',
      message: expect.stringContaining(words),
    });
    expect(cleaned).toBe(true);
  });

  it('has its finally blocks run to their end when the run is aborted, before anything else happens', async () => {
    const controller = new AbortController();
    const run = new RecordingRun(contextOf('alice', controller.signal), ({ deltas }) => {
      if (deltas.length === 2) controller.abort(new Error('cancelled by alice'));
    });
    const trail: string[] = [];
    async function* agent() {
      try {
        for (const text of 'abcdef') {
          trail.push(text);
          yield text;
        }
      } finally {
        await new Promise(setImmediate);
        trail.push('cleaned');
      }
    }
    await expect(consumeParts(agent(), run)).rejects.toThrow('cancelled by alice');
    expect(trail).toEqual(['a', 'b', 'cleaned']);
    expect(run.deltas).toEqual(['a', 'b']);
  });

  it('is told apart from a plain result', () => {
    expect(isPartStream(parts([]))).toBe(true);
    for (const result of ['text', ['a'], { next: 1 }, null, undefined]) expect(isPartStream(result)).toBe(false);
  });

  it("fails with its own error, and with the reason of the run's end when its clean-up throws as well", async () => {
    await expect(consumeParts(failing(), alice())).rejects.toThrow('own');
    const run = new RecordingRun(contextOf('alice'), () => {
      throw new Error('run_closed');
    });
    await expect(consumeParts(unclean(), run)).rejects.toThrow('run_closed');
  });
});
