import { Injectable } from '@nestjs/common';
import type { AgentRun } from '../../agents/agent-run.js';
import { modelsOf } from '../models-of.js';
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
  constructor(
    private readonly models: ModelCalls,
    private readonly conversations: Conversations,
  ) {}

  /** @throws CarrelError, as `LlmAgent` says */
  async carryOut<Input>(agent: LlmDeclaration<Input>, input: Input, run: AgentRun): Promise<LlmOutcome> {
    const conversation = new LlmConversation(
      await agent.prompt(input),
      await agent.instructions(input),
      run.context,
      agent.remembers ? this.conversations : undefined,
    );
    conversation.begin();
    const outcome = await new LlmLoop(agent, run, modelsOf(run), conversation, this.models).carryOut();
    await conversation.end();
    return outcome;
  }
}
