import { type BeforeApplicationShutdown, Injectable } from '@nestjs/common';
import { ExecutionLifecycle } from '../execution/execution-lifecycle.service.js';

/** Has the runs of a node drain that no socket is connected to; see `SocketShutdown`. */
@Injectable()
export class WorkerShutdown implements BeforeApplicationShutdown {
  constructor(private readonly lifecycle: ExecutionLifecycle) {}

  beforeApplicationShutdown(): Promise<void> {
    return this.lifecycle.drain();
  }
}
