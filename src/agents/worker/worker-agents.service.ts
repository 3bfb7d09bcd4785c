import { Injectable } from '@nestjs/common';
import type { AgentDefinition, WorkerOptions } from '../agent-definition.js';
import type { AgentRun } from '../agent-run.js';
import { WorkerThread } from './worker-thread.js';

/** Carries out attempts of agents that are declared with `isolate: 'worker'`, each in a thread that nothing else uses. */
@Injectable()
export class WorkerAgents {
  private threads = 0;

  /** Threads that have not come to their end; 0 when nothing runs. */
  get live(): number {
    return this.threads;
  }

  /**
   * Carries out one attempt with an input that is plain data. The thread is ended when the run is disposed of, whatever it is
   * doing then; an agent that has ended by itself may clean up before.
   *
   * @throws what the agent throws; CarrelError `invalid_result`, `worker_failed`
   */
  async call(
    agent: Pick<AgentDefinition, 'name'> & { worker: WorkerOptions },
    input: unknown,
    run: AgentRun,
  ): Promise<unknown> {
    run.signal.throwIfAborted();
    let thread: WorkerThread | undefined;
    // before there is a thread, so that none is ever left over; the last one that is added runs first
    run.onDispose(() => thread?.terminate());
    run.onDispose(() => thread?.cleanUp());
    thread = new WorkerThread(agent, run, () => this.threads--);
    this.threads++;
    return thread.perform(input);
  }
}
