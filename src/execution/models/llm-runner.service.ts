import { Inject, Injectable, Logger } from '@nestjs/common';
import type { AgentRun } from '../../agents/agent-run.js';
import { CLOCK, type Clock } from '../../shared/clock.js';
import { isCarrelError } from '../../shared/errors.js';
import { modelsOf } from '../models-of.js';
import { untilStored } from '../until-stored.js';
import { Conversations } from './conversations.service.js';
import { LlmConversation } from './llm-conversation.js';
import { LlmLoop, type LlmOutcome, type LlmTask } from './llm-loop.js';
import { ModelCalls } from './model-calls.service.js';

/** What an agent says about its use of a model. */
export interface LlmDeclaration<Input> extends LlmTask {
  readonly remembers: boolean;
  instructions(input: Input): string | undefined | Promise<string | undefined>;
  prompt(input: Input): string | Promise<string>;
}

/** Carries out runs of `LlmAgent`s. */
@Injectable()
export class LlmRunner {
  private readonly logger = new Logger(LlmRunner.name);

  constructor(
    private readonly models: ModelCalls,
    private readonly conversations: Conversations,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** @throws CarrelError, as `LlmAgent` says */
  async carryOut<Input>(agent: LlmDeclaration<Input>, input: Input, run: AgentRun): Promise<LlmOutcome> {
    const conversation = new LlmConversation(
      await agent.prompt(input),
      await agent.instructions(input),
      run.context,
      agent.remembers ? this.conversations : undefined,
    );
    this.keep(run, () => conversation.begin());
    const outcome = await new LlmLoop(agent, run, modelsOf(run), conversation, this.models).carryOut();
    this.keep(run, () => conversation.end());
    return outcome;
  }

  /** Nobody waits for it: the store carries writes out in their order, so that it is there when the run has ended. */
  private keep({ context: { userId, runId }, signal }: AgentRun, write: () => Promise<void>): void {
    untilStored(write, this.clock, signal).catch((err: unknown) => {
      // then the run can't be ended here either
      if (isCarrelError(err) && err.code === 'run_closed') return;
      this.logger.error({ err, userId, runId }, 'what was said could not be added to the conversation');
    });
  }
}
