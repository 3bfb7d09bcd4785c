import type { LanguageModelV4Message } from '@ai-sdk/provider';
import { Injectable } from '@nestjs/common';
import type { UserExecutionContext } from '../../context/user-execution-context.js';
import type { ModelSteps } from '../model-step.js';
import type { ToolSampler } from '../tools/tool-sampler.port.js';
import type { SampleReply, SampleRequest } from '../tools/tool-source.port.js';
import { textOf, type ModelAnswer } from './model-answer.js';
import { ModelCalls } from './model-calls.service.js';

/** Answers tools that ask for a model (MCP sampling) with the default one: on the user's budget, and nobody follows it. */
@Injectable()
export class Sampler implements ToolSampler {
  constructor(private readonly models: ModelCalls) {}

  async sample(context: UserExecutionContext, request: SampleRequest, steps: ModelSteps): Promise<SampleReply> {
    const { maxTokens: maxOutputTokens, temperature, stopSequences } = request;
    const { model, answer } = await this.models.ask({
      context,
      steps,
      prepare: async () => ({ messages: messagesOf(request) }),
      maxOutputTokens,
      temperature,
      stopSequences,
      isSilent: true,
    });
    return { model, text: textOf(answer.message), stopReason: STOP_REASONS[answer.finishReason] ?? 'endTurn' };
  }
}

/** As MCP names them. */
const STOP_REASONS: Partial<Record<ModelAnswer['finishReason'], string>> = { length: 'maxTokens' };

function messagesOf({ system, messages }: SampleRequest): LanguageModelV4Message[] {
  const said = messages.map(({ role, text }): LanguageModelV4Message => ({ role, content: [{ type: 'text', text }] }));
  return system === undefined ? said : [{ role: 'system', content: system }, ...said];
}
