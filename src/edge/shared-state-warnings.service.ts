import { Injectable } from '@nestjs/common';

/** Stable; `process.on('warning')` tells it apart by this. */
export const SHARED_STATE_WARNING = 'CARREL_DEP_SHARED_STATE';

/** User agents come from clients: after so many call sites no further one is remembered, or warned of. */
export const MAX_CALL_SITES = 100;
const MAX_PROGRAM_LENGTH = 80;

/** Warns the operator of those who still send a shared state object, once for each call site. */
@Injectable()
export class SharedStateWarnings {
  private readonly warned = new Set<string>();

  /** A call site is a program, by its `User-Agent`, with the agent that it runs. */
  warn(program: string | undefined, agent: string): void {
    const name = JSON.stringify(program?.slice(0, MAX_PROGRAM_LENGTH) ?? 'a program without a User-Agent');
    const site = `${name} runs "${agent}"`;
    if (this.warned.size >= MAX_CALL_SITES || this.warned.has(site)) return;
    this.warned.add(site);
    const last = this.warned.size === MAX_CALL_SITES ? ' Further callers will not be named.' : '';
    process.emitWarning(`${site} with a shared state object (POST /v1/legacy/execute): use POST /v1/runs.${last}`, {
      type: 'DeprecationWarning',
      code: SHARED_STATE_WARNING,
      detail: 'The server has a guide at /docs/migrating-from-shared-state.',
    });
  }
}
