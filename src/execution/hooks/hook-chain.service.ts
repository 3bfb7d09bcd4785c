import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';
import type { UserExecutionContext } from '../../context/user-execution-context.js';
import { CLOCK, type Clock } from '../../shared/clock.js';
import { frozenCopy } from '../../shared/json.js';
import { discoverHooks, type RegisteredHook } from './discover-hooks.js';
import type { RunFacts } from './execution-hook.js';
import { type HookSession, NO_HOOKS, OpenHookSession } from './hook-session.js';

/** The hooks of this server, and the way to have them all told of a run. */
@Injectable()
export class HookChain implements OnModuleInit {
  private hooks: readonly RegisteredHook[] = [];

  constructor(
    private readonly discovery: DiscoveryService,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  onModuleInit(): void {
    this.hooks = discoverHooks(this.discovery);
  }

  get isEmpty(): boolean {
    return this.hooks.length === 0;
  }

  /**
   * Opens a session for a run of this context's user; dispose of it (`await using`) whichever way the run goes on. Costs
   * nothing when there are no hooks.
   *
   * @throws CarrelError `hook_failed`; the reason of the context's signal when the run is stopped meanwhile. No hook that
   *   had begun is left undisposed
   */
  async begin(context: UserExecutionContext, facts: RunFacts): Promise<HookSession> {
    if (this.hooks.length === 0) return NO_HOOKS;
    const session = new OpenHookSession(context, this.clock);
    const frozen = Object.freeze({ ...facts, input: frozenCopy(facts.input) });
    try {
      for (const hook of this.hooks) await session.enter(hook, frozen);
    } catch (error) {
      await session[Symbol.asyncDispose]();
      throw error;
    }
    return session;
  }
}
