import {
  ProtocolError,
  type CreateMessageRequest,
  type CreateMessageResult,
  type SamplingMessage,
} from '@modelcontextprotocol/client';
import type { SampleRequest, ToolInvocation } from '../../tools/tool-source.port.js';

/** As the protocol has it: the user has said no. */
const DECLINED = -1;

/**
 * Has the configured model answer what a server asks it, on the user's budget.
 *
 * @throws ProtocolError to the server: there is no model, no budget, or it asks for more than texts
 */
export async function sample(
  { params }: Pick<CreateMessageRequest, 'params'>,
  call: ToolInvocation,
): Promise<CreateMessageResult> {
  if (!call.sample) throw declined('no model answers here');
  if (params.tools?.length) throw declined('a model that calls tools is not offered here');
  const request: SampleRequest = {
    system: params.systemPrompt,
    messages: params.messages.map(({ role, content }) => ({ role, text: textOf(content) })),
    maxTokens: params.maxTokens,
    temperature: params.temperature,
    stopSequences: params.stopSequences,
  };
  try {
    const { model, text, stopReason } = await call.sample(request);
    return { model, role: 'assistant', content: { type: 'text', text }, stopReason };
  } catch (error) {
    call.signal.throwIfAborted();
    throw declined('the model has not answered', error); // why is the user's affair, not the server's
  }
}

function textOf(content: SamplingMessage['content']): string {
  const blocks = Array.isArray(content) ? content : [content];
  return blocks
    .map((block) => {
      if (block.type !== 'text') throw declined('only texts can be sent to the model');
      return block.text;
    })
    .join('\n');
}

function declined(why: string, cause?: unknown): ProtocolError {
  return Object.assign(new ProtocolError(DECLINED, `declined: ${why}`), { cause });
}
