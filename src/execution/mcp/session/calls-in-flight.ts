import type { OpenCall } from './open-call.js';

/**
 * The calls under way on one connection of the session-based protocol, in which a server that asks something does not say for
 * which call it asks. A call that asks can't end before it has its answer: so a question waits until one call is left, which
 * is the one that asks, and meanwhile no other call begins.
 */
export class CallsInFlight {
  private readonly calls = new Set<OpenCall>();
  /** Questions that have no answer yet, the oldest first. */
  private readonly questions: symbol[] = [];
  private changed = Promise.withResolvers<void>();

  /** Carries `work` out as a call that questions may be about. */
  async during<T>(call: OpenCall, work: () => Promise<T>): Promise<T> {
    await this.until(() => this.questions.length === 0, call.signal);
    this.calls.add(call);
    try {
      return await work();
    } finally {
      this.calls.delete(call);
      this.tell();
    }
  }

  /**
   * The call that asks, for as long as `answer` takes.
   *
   * @param signal aborted when the server does not want to know any more
   * @returns undefined when nobody can tell: no call is under way, or each of them seems to ask something
   */
  async whichAsks<T>(answer: (call: OpenCall) => Promise<T>, signal: AbortSignal): Promise<T | undefined> {
    const question = Symbol('question');
    this.questions.push(question);
    this.tell();
    try {
      await this.until(() => this.calls.size <= 1 || this.isStuckAt(question), signal);
      const [call] = this.calls;
      return call && this.calls.size === 1 ? await answer(call) : undefined;
    } finally {
      this.questions.splice(this.questions.indexOf(question), 1);
      this.tell();
    }
  }

  /** No call may be able to end: the newest question is given up, so that the others can be answered. */
  private isStuckAt(question: symbol): boolean {
    return this.questions.length >= this.calls.size && this.questions.at(-1) === question;
  }

  private async until(isTrue: () => boolean, signal: AbortSignal): Promise<void> {
    const stopped = Promise.withResolvers<never>();
    stopped.promise.catch(() => undefined);
    const stop = () => stopped.reject(signal.reason);
    signal.addEventListener('abort', stop, { once: true });
    try {
      signal.throwIfAborted();
      while (!isTrue()) await Promise.race([this.changed.promise, stopped.promise]);
    } finally {
      signal.removeEventListener('abort', stop);
    }
  }

  private tell(): void {
    this.changed.resolve();
    this.changed = Promise.withResolvers();
  }
}
