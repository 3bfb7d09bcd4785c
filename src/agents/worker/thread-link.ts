import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import { CarrelError } from '../../shared/errors.js';
import type { ErrorWire, WireError } from './error-wire.js';

/** What the other thread may call, by name. */
export type Served = Readonly<Record<string, (...args: never[]) => unknown>>;

type Message =
  | { kind: 'call'; id: number; method: string; args: readonly unknown[] }
  /** A call that nobody waits for. */
  | { kind: 'tell'; method: string; args: readonly unknown[] }
  | { kind: 'value'; id: number; value: unknown }
  | { kind: 'error'; id: number; error: WireError };

/** Calls that may wait for their answer: what is on its way to another thread is in nobody's memory limit. */
const MAX_WAITING = 1_000;

/** One end of a line between two threads: either calls what the other serves, and nothing else. */
export class ThreadLink {
  private readonly waiting = new Map<number, PromiseWithResolvers<unknown>>();
  private lastId = 0;
  private broken: { error: unknown } | undefined;

  constructor(
    private readonly port: MessagePort,
    private readonly served: Served,
    private readonly errors: ErrorWire,
  ) {
    port.on('message', (message: Message) => this.receive(message));
  }

  /**
   * Never leaves a rejection unhandled.
   *
   * @throws what the other thread throws; CarrelError `agent_failed` for arguments that can't be copied, or when too many
   *   calls wait
   */
  call(method: string, ...args: readonly unknown[]): Promise<unknown> {
    const answer = Promise.withResolvers<unknown>();
    answer.promise.catch(() => undefined);
    const id = ++this.lastId;
    try {
      if (this.broken) throw this.broken.error;
      if (this.waiting.size >= MAX_WAITING) throw new CarrelError('agent_failed', TOO_MANY, { retryable: false });
      this.post({ kind: 'call', id, method, args });
      this.waiting.set(id, answer);
    } catch (error) {
      answer.reject(error);
    }
    return answer.promise;
  }

  tell(method: string, ...args: readonly unknown[]): void {
    if (!this.broken) this.post({ kind: 'tell', method, args });
  }

  /** Nothing comes from the other end any more: what it has still sent is taken in, and what waits is rejected. */
  break(error: unknown): void {
    if (this.broken) return;
    for (let last = receiveMessageOnPort(this.port); last; last = receiveMessageOnPort(this.port)) {
      this.receive(last.message);
    }
    this.broken = { error };
    for (const { reject } of this.waiting.values()) reject(error);
    this.waiting.clear();
    this.port.close();
  }

  private receive(message: Message): void {
    switch (message.kind) {
      case 'call':
        void this.answer(message);
        return;
      case 'tell':
        this.takeIn(message);
        return;
      case 'value':
        this.taken(message.id)?.resolve(message.value);
        return;
      case 'error':
        this.taken(message.id)?.reject(this.errors.decode(message.error));
    }
  }

  private taken(id: number): PromiseWithResolvers<unknown> | undefined {
    const answer = this.waiting.get(id);
    this.waiting.delete(id);
    return answer;
  }

  private async answer({ id, method, args }: Extract<Message, { kind: 'call' }>): Promise<void> {
    try {
      const value: unknown = await this.serve(method, args);
      if (!this.broken) this.post({ kind: 'value', id, value });
    } catch (error) {
      if (!this.broken) this.post({ kind: 'error', id, error: this.errors.encode(error) });
    }
  }

  /** Whoever tells something does not hear what becomes of it. */
  private takeIn({ method, args }: Extract<Message, { kind: 'tell' }>): void {
    try {
      this.serve(method, args);
    } catch {
      // it was not taken in
    }
  }

  private serve(method: string, args: readonly unknown[]): unknown {
    if (!Object.hasOwn(this.served, method)) throw new CarrelError('internal', `nothing serves "${method}"`);
    return this.served[method]!(...(args as never[]));
  }

  private post(message: Message): void {
    try {
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread's port, not a window
      this.port.postMessage(message);
    } catch (cause) {
      const what = 'method' in message ? `${message.method}(…) was called` : 'a call was answered';
      const why = cause instanceof Error ? cause.message : 'it can not be copied';
      throw new CarrelError(
        'agent_failed',
        `${what} with what can't cross into another thread: ${why} Give it plain data`,
        {
          cause,
          retryable: false,
        },
      );
    }
  }
}

const TOO_MANY = `the agent called its run ${MAX_WAITING} times without awaiting an answer`;
