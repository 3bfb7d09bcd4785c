import { Inject, Injectable } from '@nestjs/common';
import { AgentRegistry } from '../agents/agent-registry.service.js';
import { CARREL_CONFIG, type CarrelConfig } from '../config/config.js';
import type { UserExecutionContext } from '../context/user-execution-context.js';
import { CLOCK, type Clock } from '../shared/clock.js';
import { newId } from '../shared/ids.js';
import type { JsonValue } from '../shared/json.js';
import { PipelineService } from './pipeline/pipeline.service.js';
import {
  checkedIdempotencyKey,
  conflictPolicyOf,
  delayOf,
  fingerprintOf,
  plainInput,
  plainMetadata,
  priorityOf,
  targetOf,
  threadIdOf,
  type RunRequest,
  type RunTarget,
} from './run-request.js';
import { originOf } from './run-origin.js';
import type { NewRun, RunRecord } from './run-store.port.js';

/** A run that may be submitted: everything about it is checked. */
export type PreparedRun = Omit<NewRun, 'placeInLine' | 'opening'>;

/** Makes runs of requests, and refuses those that can't become one. Stores nothing. */
@Injectable()
export class RunPreparation {
  constructor(
    private readonly registry: AgentRegistry,
    private readonly pipelines: PipelineService,
    @Inject(CARREL_CONFIG) private readonly config: CarrelConfig,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /**
   * @throws CarrelError `invalid_request` | `unknown_agent` | `unknown_pipeline` | `invalid_pipeline` | `invalid_input`
   */
  async prepare(context: UserExecutionContext, request: RunRequest): Promise<PreparedRun> {
    const target = targetOf(request);
    const input = plainInput(request.input, this.config);
    const metadata = plainMetadata(request.metadata, this.config);
    const threadId = threadIdOf(request.threadId);
    const key = checkedIdempotencyKey(request.idempotencyKey);
    const [priority, delayMs, onConflict] = [priorityOf(request), delayOf(request), conflictPolicyOf(request)];
    const names = await this.accepted(target, input);
    const createdAtMs = this.clock.now();
    return {
      id: newId('run'),
      threadId,
      opensThread: request.threadId === undefined,
      ...names,
      input,
      metadata,
      priority,
      onConflict,
      notBeforeMs: delayMs > 0 ? createdAtMs + delayMs : undefined,
      origin: originOf(context),
      createdAtMs,
      idempotency: key === undefined ? undefined : { key, fingerprint: fingerprintOf(request) },
    };
  }

  /** The same run once more, on behalf of whoever asks for it now. */
  async prepareAgain(
    context: UserExecutionContext,
    { id, agent, pipeline, threadId, input, metadata, priority }: RunRecord,
    reuseSteps: boolean,
  ): Promise<PreparedRun> {
    const names = await this.accepted(pipeline === undefined ? { agent } : { pipeline }, input);
    return {
      id: newId('run'),
      threadId,
      ...names,
      input,
      metadata,
      priority,
      retryOf: id,
      reuseSteps,
      origin: originOf(context),
      createdAtMs: this.clock.now(),
    };
  }

  /** What is to carry it out is there, and accepts the input. */
  private async accepted(target: RunTarget, input: JsonValue): Promise<Pick<NewRun, 'agent' | 'pipeline'>> {
    if ('agent' in target) {
      const agent = this.registry.get(target.agent);
      await agent.validate(input);
      return { agent: agent.name };
    }
    const plan = await this.pipelines.resolve(target.pipeline);
    await this.pipelines.validate(plan, input);
    return { agent: plan.name, pipeline: target.pipeline };
  }
}
