import { type BeforeApplicationShutdown, Injectable } from '@nestjs/common';
import { ExecutionLifecycle } from '../execution/execution-lifecycle.service.js';
import { AgentsGateway } from './agents.gateway.js';

/** When clients may try again: by then another process has taken over, or this one is back. */
const RECONNECT_AFTER_MS = 1_000;

/** Tells the sockets that the server is about to go; they hear the ends of the runs that drain, and are let go then. */
@Injectable()
export class SocketShutdown implements BeforeApplicationShutdown {
  constructor(
    private readonly gateway: AgentsGateway,
    private readonly lifecycle: ExecutionLifecycle,
  ) {}

  async beforeApplicationShutdown(): Promise<void> {
    this.gateway.announceDraining(RECONNECT_AFTER_MS);
    await this.lifecycle.drain();
    this.gateway.disconnectAll();
  }
}
