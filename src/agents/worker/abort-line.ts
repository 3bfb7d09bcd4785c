import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import type { ErrorWire, WireError } from './error-wire.js';

/** Tells the worker that a signal is aborted: the run's, or the one that a piece of work was given. */
export interface AbortMessage {
  readonly of: number;
  readonly reason: WireError;
}

/** The number of the run's own signal. */
export const RUN_SIGNAL = 0;

/**
 * The worker's copies of signals that are aborted in the server's thread. Whoever asks one of them (`aborted`,
 * `throwIfAborted`) is told at once, also in the middle of a loop that lets no message in.
 */
export class AbortLine {
  private readonly controllers = new Map<number, AbortController>();

  constructor(
    private readonly port: MessagePort,
    private readonly errors: ErrorWire,
  ) {
    port.on('message', (message: AbortMessage) => this.hear(message));
  }

  /** A signal of that number, until it is dropped. */
  open(of: number): AbortSignal {
    const controller = new AbortController();
    this.controllers.set(of, controller);
    const { signal } = controller;
    return Object.defineProperties(signal, {
      aborted: {
        get: (): unknown => {
          this.listen();
          return Reflect.get(AbortSignal.prototype, 'aborted', signal);
        },
      },
      throwIfAborted: {
        value: () => {
          this.listen();
          AbortSignal.prototype.throwIfAborted.call(signal);
        },
      },
    });
  }

  drop(of: number): void {
    this.controllers.delete(of);
  }

  private listen(): void {
    for (let next = receiveMessageOnPort(this.port); next; next = receiveMessageOnPort(this.port)) {
      this.hear(next.message);
    }
  }

  private hear({ of, reason }: AbortMessage): void {
    this.controllers.get(of)?.abort(this.errors.decode(reason));
  }
}
