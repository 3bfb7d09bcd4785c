import { Logger } from '@nestjs/common';
import { MessageChannel, Worker } from 'node:worker_threads';
import { CarrelError } from '../../shared/errors.js';
import type { AgentDefinition, WorkerOptions } from '../agent-definition.js';
import type { AgentRun } from '../agent-run.js';
import { type AbortMessage, RUN_SIGNAL } from './abort-line.js';
import { ErrorWire, type WireError } from './error-wire.js';
import { serveRun } from './run-service.js';
import { ThreadLink } from './thread-link.js';
import { fieldsOf, type WorkerStart } from './worker-start.js';

const ENTRY = new URL('./worker-main.js', import.meta.url);

/** The thread of one attempt, as the server's thread sees it. */
export class WorkerThread {
  private readonly logger = new Logger('Worker');
  private readonly errors = new ErrorWire();
  private readonly aborts = new MessageChannel();
  private readonly link: ThreadLink;
  private readonly worker: Worker;
  private hasEnded = false;
  private hasCleanUps = false;
  private readonly stopListening: () => void;

  constructor(
    private readonly agent: Pick<AgentDefinition, 'name'> & { worker: WorkerOptions },
    run: AgentRun,
    onExit: () => void,
  ) {
    const calls = new MessageChannel();
    const start: WorkerStart = {
      moduleUrl: agent.worker.moduleUrl,
      agent: agent.name,
      context: fieldsOf(run.context),
      deadlineMs: run.deadline.getTime(),
      calls: calls.port2,
      aborts: this.aborts.port2,
    };
    this.worker = new Worker(ENTRY, {
      workerData: start,
      transferList: [calls.port2, this.aborts.port2],
      resourceLimits: { maxOldGenerationSizeMb: agent.worker.memoryMb },
      name: agent.name,
    });
    this.link = new ThreadLink(calls.port1, this.served(run), this.errors);
    this.worker.once('error', (error) => this.link.break(this.failure(error)));
    this.worker.once('exit', (code) => {
      this.link.break(this.exited(code));
      this.aborts.port1.close();
      onExit();
    });
    this.stopListening = this.forward(run.signal, RUN_SIGNAL);
  }

  /**
   * Carries out the attempt.
   *
   * @throws what the agent throws; CarrelError `invalid_result`; `worker_failed` when the thread ends before the agent
   */
  async perform(input: unknown): Promise<unknown> {
    try {
      return await this.link.call('run', input);
    } finally {
      this.hasEnded = true;
    }
  }

  /** Has an agent that has ended clean up; one that has not had its time for that when its signal was aborted. */
  async cleanUp(): Promise<void> {
    if (this.hasEnded && this.hasCleanUps) await this.link.call('cleanUp');
  }

  /** Ends the thread, whatever it is doing, and waits for its end. */
  async terminate(): Promise<void> {
    this.stopListening();
    await this.worker.terminate();
  }

  private served(run: AgentRun) {
    return {
      ...serveRun(run, async (id, facts, signal) => {
        const stopListening = signal && signal !== run.signal ? this.forward(signal, id) : undefined;
        try {
          return await this.link.call('work', id, facts);
        } finally {
          stopListening?.();
        }
      }),
      hasCleanUps: () => {
        this.hasCleanUps = true;
      },
      unheard: (error: WireError) => {
        const facts = { err: this.errors.decode(error), agent: this.agent.name, ...run.context.toJSON() };
        this.logger.error(
          facts,
          'a promise was rejected, and nobody listens to it; agents should await what they begin',
        );
      },
    };
  }

  /** @returns what stops it */
  private forward(signal: AbortSignal, of: number): () => void {
    const tell = () => {
      const message: AbortMessage = { of, reason: this.errors.encode(signal.reason) };
      this.aborts.port1.postMessage(message);
    };
    if (signal.aborted) tell();
    signal.addEventListener('abort', tell, { once: true });
    return () => signal.removeEventListener('abort', tell);
  }

  private failure(cause: Error): CarrelError {
    if ('code' in cause && cause.code === 'ERR_WORKER_OUT_OF_MEMORY') {
      const text = `the agent needed more than the ${this.agent.worker.memoryMb} MB of heap of its worker; raise memoryMb in its @Agent, or have it hold less at once`;
      return new CarrelError('worker_failed', text, { cause, retryable: false });
    }
    const text =
      'the agent threw where nobody could catch it, which ended its worker; have it await all that it begins';
    return new CarrelError('worker_failed', text, { cause });
  }

  private exited(code: number): CarrelError {
    const text = `the agent ended its worker with process.exit(${code}); have it return a result or throw`;
    return new CarrelError('worker_failed', text, { retryable: false });
  }
}
