import { CarrelError } from '../shared/errors.js';
import type { AgentRun } from './agent-run.js';

/** How much text of a generator is kept for the case that it returns nothing. */
const MAX_GATHERED_CHARS = 1_000_000;

/** What an agent's method has come to, its parts emitted if it yields any. */
export function resultOf(returned: unknown, run: AgentRun): Promise<unknown> {
  return Promise.resolve(returned).then((result) => (isPartStream(result) ? consumeParts(result, run) : result));
}

/** True for what an async generator method returns, and for anything else that yields over time. */
export function isPartStream(result: unknown): result is AsyncIterable<unknown> {
  return typeof result === 'object' && result !== null && Symbol.asyncIterator in result;
}

/**
 * Emits what a generating agent yields, and gives the generator time to clean up when the run is over before it is.
 *
 * @returns what the generator returns, else `{ text }` of all it yielded, else `undefined`
 * @throws CarrelError `invalid_result` for a part that is none; the signal's reason when the run is aborted
 */
export async function consumeParts(parts: AsyncIterable<unknown>, run: AgentRun): Promise<unknown> {
  const iterator = parts[Symbol.asyncIterator]();
  const gathered = new GatheredText();
  for (;;) {
    // nothing to close when this throws: the generator has ended itself
    const next: IteratorResult<unknown, unknown> = await iterator.next();
    if (next.done) return next.value === undefined ? gathered.result() : next.value;
    try {
      run.signal.throwIfAborted();
      gathered.add(await emit(next.value, run));
      run.signal.throwIfAborted();
    } catch (error) {
      // the generator's own troubles while it cleans up must not hide why it had to
      await iterator.return?.().catch(() => undefined);
      throw error;
    }
  }
}

/** @returns the text that the part adds to the agent's message */
async function emit(part: unknown, run: AgentRun): Promise<string> {
  const text = textOf(part);
  if (text !== undefined) {
    await run.delta(text);
    return text;
  }
  if (hasType(part, 'thinking') && 'thought' in part && typeof part.thought === 'string') {
    await run.thinking(part.thought, {
      ...('step' in part && typeof part.step === 'number' && { step: part.step }),
      ...('progress' in part && typeof part.progress === 'number' && { progress: part.progress }),
    });
    return '';
  }
  throw new CarrelError(
    'invalid_result',
    `The agent yielded ${describe(part)}; a part is a text, { type: "delta", text } or { type: "thinking", thought }`,
  );
}

function textOf(part: unknown): string | undefined {
  if (typeof part === 'string') return part;
  return hasType(part, 'delta') && 'text' in part && typeof part.text === 'string' ? part.text : undefined;
}

function hasType(part: unknown, type: string): part is object {
  return typeof part === 'object' && part !== null && 'type' in part && part.type === type;
}

function describe(part: unknown): string {
  if (part === null || typeof part !== 'object') return part === null ? 'null' : `a value of type ${typeof part}`;
  if ('type' in part && typeof part.type === 'string') return `an object of type "${part.type.slice(0, 40)}"`;
  return Array.isArray(part) ? 'a list' : 'an object without a type';
}

class GatheredText {
  private readonly texts: string[] = [];
  private chars = 0;

  add(text: string): void {
    this.chars += text.length;
    if (text && this.chars <= MAX_GATHERED_CHARS) this.texts.push(text);
  }

  result(): { text: string } | undefined {
    if (this.chars > MAX_GATHERED_CHARS) {
      throw new CarrelError(
        'invalid_result',
        `The agent returned nothing and yielded more than ${MAX_GATHERED_CHARS} characters; return a result`,
      );
    }
    return this.chars === 0 ? undefined : { text: this.texts.join('') };
  }
}
