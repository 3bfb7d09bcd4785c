import { Inject, Injectable } from '@nestjs/common';
import { createHash } from 'node:crypto';
import stableStringify from 'safe-stable-stringify';
import { AgentRegistry } from '../agents/agent-registry.service.js';
import { CARREL_CONFIG, type CarrelConfig } from '../config/config.js';
import type { UserExecutionContext } from '../context/user-execution-context.js';
import { EventBus } from '../events/event-bus.js';
import { draftEvent, isTerminalType } from '../events/run-event.js';
import { CLOCK, type Clock } from '../shared/clock.js';
import { CarrelError } from '../shared/errors.js';
import { newId, type RunId, type UserId } from '../shared/ids.js';
import { Readiness } from './readiness.js';
import { RUN_DISPATCHER, type RunDispatcher } from './run-dispatcher.port.js';
import { openingEvent } from './run-events.js';
import { checkedIdempotencyKey, plainInput, plainMetadata, threadIdOf, type RunRequest } from './run-request.js';
import { isTerminal } from './run-status.js';
import {
  RUN_STORE,
  type LaneState,
  type NewRun,
  type RunFilter,
  type RunPage,
  type RunRecord,
  type RunRef,
  type RunStore,
} from './run-store.port.js';

/** A cancel that waits gives up this long after the grace period: by then the end is recorded unless the disk is not. */
const CANCEL_MARGIN_MS = 5_000;

/** The way in: starts, finds, cancels and awaits runs on behalf of a context, and only that context's user's. */
@Injectable()
export class ExecutionService {
  constructor(
    @Inject(RUN_STORE) private readonly store: RunStore,
    @Inject(RUN_DISPATCHER) private readonly dispatcher: RunDispatcher,
    private readonly registry: AgentRegistry,
    private readonly bus: EventBus,
    private readonly readiness: Readiness,
    @Inject(CARREL_CONFIG) private readonly config: CarrelConfig,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /**
   * Records a run and admits it to the caller's lane, or lets it wait there; when this resolves the run survives anything.
   *
   * @throws CarrelError `unknown_agent` | `invalid_input` | `invalid_request` | `queue_full` | `rate_limited` |
   *   `idempotency_conflict` | `draining`; nothing is stored then
   */
  async submit(context: UserExecutionContext, request: RunRequest): Promise<{ run: RunRecord; replayed: boolean }> {
    if (this.readiness.state === 'draining') throw new CarrelError('draining', undefined, { retryAfterMs: 1_000 });
    const agent = this.registry.get(request.agent);
    const input = plainInput(request.input, this.config);
    const metadata = plainMetadata(request.metadata, this.config);
    const threadId = threadIdOf(request.threadId);
    const key = checkedIdempotencyKey(request.idempotencyKey);
    await agent.validate(input);
    const { userId, requestId, roles, audit } = context;
    return this.record(userId, {
      id: newId('run'),
      threadId,
      agent: agent.name,
      input,
      metadata,
      origin: { requestId, roles, ...audit },
      createdAtMs: this.clock.now(),
      idempotency: key === undefined ? undefined : { key, fingerprint: fingerprint(request) },
    });
  }

  /** @throws CarrelError `not_found`, for another user's run too */
  async find(context: UserExecutionContext, runId: RunId): Promise<RunRecord> {
    const run = await this.store.find(context.userId, runId);
    if (!run) throw new CarrelError('not_found', 'there is no such run');
    return run;
  }

  /** The caller's runs, newest first. */
  list(context: UserExecutionContext, filter: RunFilter, page: { limit: number; cursor?: string }): Promise<RunPage> {
    return this.store.list(context.userId, filter, page);
  }

  /**
   * Cancels a run. One that waits has ended when this resolves; one that runs has been told to stop, and with `wait` it
   * has ended: its work is down, or the grace period has passed and the end says `forced`.
   *
   * @throws CarrelError `not_found` | `run_ended`
   */
  async cancel(
    context: UserExecutionContext,
    runId: RunId,
    options: { wait?: boolean; signal?: AbortSignal } = {},
  ): Promise<RunRecord> {
    const by = context.userId;
    const request = await this.store.requestCancel(
      by,
      runId,
      by,
      (run) => this.cancelledEvent(run, by),
      this.config.lane,
    );
    switch (request.outcome) {
      case 'not_found':
        throw new CarrelError('not_found', 'there is no such run');
      case 'already_ended':
        throw new CarrelError('run_ended', `the run has already ended (${request.run.status})`);
      case 'cancelled':
        await this.dispatchAll(request.admitted);
        return request.run;
      case 'requested': {
        await this.dispatcher.cancel({ userId: by, runId }, by);
        const timeoutMs = this.config.runs.cancelGraceMs + CANCEL_MARGIN_MS;
        return options.wait ? this.waitForEnd(context, runId, { timeoutMs, signal: options.signal }) : request.run;
      }
    }
  }

  /**
   * The run as it is at its end, or as it is when the time or the caller's patience (`signal`) is over, or the server
   * stops and the run does not end by that.
   *
   * @throws CarrelError `not_found`
   */
  async waitForEnd(
    context: UserExecutionContext,
    runId: RunId,
    options: { timeoutMs: number; signal?: AbortSignal },
  ): Promise<RunRecord> {
    const over = Promise.withResolvers<void>();
    const giveUp = () => over.resolve();
    const unsubscribe = this.bus.subscribe(context.userId, (event) => {
      if (event.runId === runId && isTerminalType(event.type)) over.resolve();
    });
    const cancelTimer = this.clock.after(options.timeoutMs, giveUp);
    const signals = options.signal ? [options.signal, this.readiness.stopped] : [this.readiness.stopped];
    for (const signal of signals) signal.addEventListener('abort', giveUp, { once: true });
    try {
      const run = await this.find(context, runId);
      if (isTerminal(run.status) || signals.some(({ aborted }) => aborted)) return run;
      await over.promise;
      return await this.find(context, runId);
    } finally {
      unsubscribe();
      cancelTimer();
      for (const signal of signals) signal.removeEventListener('abort', giveUp);
    }
  }

  /** How much of the caller's lane is in use. */
  lane(context: UserExecutionContext): Promise<LaneState> {
    return this.store.lane(context.userId);
  }

  /** The caller's waiting runs in the order in which they will be admitted. */
  waiting(context: UserExecutionContext, limit: number): Promise<readonly RunRecord[]> {
    return this.store.waiting(context.userId, limit);
  }

  /** With a slot at hand the run is submitted and claimed in one transaction, which saves another one and a wait. */
  private async record(
    userId: UserId,
    run: Omit<NewRun, 'placeInLine' | 'opening'>,
  ): Promise<{ run: RunRecord; replayed: boolean }> {
    const slot = this.dispatcher.reserve();
    const opening = slot && ((claimed: RunRecord) => openingEvent(claimed, claimed.createdAtMs));
    const placeInLine = slot ? 0 : this.dispatcher.placeInLine();
    const submitted = await this.store
      .submit(userId, { ...run, placeInLine, opening }, this.config.lane)
      .catch((error: unknown) => {
        slot?.release();
        throw error;
      });
    if (submitted.claimed) slot?.begin(submitted.run);
    else slot?.release();
    if (submitted.admitted && !submitted.claimed) await this.dispatcher.dispatch({ userId, runId: submitted.run.id });
    return { run: submitted.run, replayed: submitted.replayed };
  }

  private cancelledEvent(run: RunRecord, by: string) {
    const now = this.clock.now();
    const facts = { attempt: run.attempt, atMs: now };
    return draftEvent('agent_cancelled', { by, forced: false, durationMs: now - (run.startedAtMs ?? now) }, facts);
  }

  private async dispatchAll(refs: readonly RunRef[]): Promise<void> {
    for (const ref of refs) await this.dispatcher.dispatch(ref);
  }
}

function fingerprint({ agent, input, threadId, metadata }: RunRequest): string {
  const text = stableStringify([agent, input, threadId ?? null, metadata ?? null]);
  return createHash('sha256').update(text).digest('base64url');
}
