import { Injectable } from '@nestjs/common';

/** Whether this process takes new runs. Goes forward only: starting → ready → draining. */
@Injectable()
export class Readiness {
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
}
