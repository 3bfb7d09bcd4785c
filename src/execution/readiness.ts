import { Injectable } from '@nestjs/common';

/** Whether this process takes new runs. Goes forward only: starting → ready → draining → stopped. */
@Injectable()
export class Readiness {
  private readonly end = new AbortController();
  private current: 'starting' | 'ready' | 'draining' = 'starting';

  get state(): 'starting' | 'ready' | 'draining' {
    return this.current;
  }

  ready(): void {
    if (this.current === 'starting') this.current = 'ready';
  }

  drain(): void {
    this.current = 'draining';
  }

  /** Aborted when this process carries out nothing any more: whoever waits for a run's end waits in vain. */
  get stopped(): AbortSignal {
    return this.end.signal;
  }

  stop(): void {
    this.drain();
    this.end.abort();
  }
}
