import { ProtocolError, ProtocolErrorCode, type ElicitRequest, type ElicitResult } from '@modelcontextprotocol/client';
import type { Ask } from '../../../agents/agent-run.js';
import type { ApprovalAnswer } from '../../../events/approval-record.js';
import { CarrelError } from '../../../shared/errors.js';
import type { JsonObject } from '../../../shared/json.js';
import type { ToolInvocation } from '../../tools/tool-source.port.js';

const MAX_TITLE_CHARS = 300;
const MAX_MESSAGE_CHARS = 4_000;

/** Who asks, and in the middle of what. */
export interface Asker {
  readonly server: string;
  readonly tool: string;
}

/**
 * Has the run's owner answer what a server asks. Only forms: what a server wants to be opened as a page is not shown, for it
 * would be the server's word alone that the page is what it says.
 *
 * @throws ProtocolError to the server, when it asks in a way that can't be shown; what `call.ask` throws
 */
export async function elicit(
  { params }: Pick<ElicitRequest, 'params'>,
  { server, tool }: Asker,
  call: ToolInvocation,
): Promise<ElicitResult> {
  if (params.mode === 'url') throw refused('only forms can be filled in here');
  const [firstLine = ''] = params.message.trim().split('\n', 1);
  const ask: Ask = {
    kind: 'question',
    title: cut(firstLine.trim() || `"${tool}" of "${server}" asks something`, MAX_TITLE_CHARS),
    details: { server, tool, message: cut(params.message, MAX_MESSAGE_CHARS) },
    schema: params.requestedSchema as unknown as JsonObject,
  };
  return resultOf(await asked(call, ask), params.requestedSchema.properties);
}

/** A question that can't be asked is the server's fault, and the server is told; other failures are the run's. */
async function asked(call: ToolInvocation, ask: Ask): Promise<ApprovalAnswer> {
  try {
    return await call.ask(ask);
  } catch (error) {
    call.signal.throwIfAborted();
    if (error instanceof CarrelError && error.code === 'agent_failed') throw refused(error.message);
    throw error;
  }
}

/** What the user left out is as the schema has it by default, which the capability `applyDefaults` promises. */
function resultOf({ decision, answer }: ApprovalAnswer, properties: object): ElicitResult {
  if (decision === 'expired') return { action: 'cancel' };
  if (decision !== 'answered' && decision !== 'approved') return { action: 'decline' };
  const defaults = Object.entries(properties as Record<string, { default?: unknown }>)
    .filter(([, schema]) => schema.default !== undefined)
    .map(([key, schema]) => [key, schema.default]);
  const content = { ...Object.fromEntries(defaults), ...(answer as object | undefined) };
  return { action: 'accept', content: content as ElicitResult['content'] };
}

function refused(why: string): ProtocolError {
  return new ProtocolError(ProtocolErrorCode.InvalidParams, why);
}

function cut(text: string, maxChars: number): string {
  return text.length > maxChars ? `${text.slice(0, maxChars - 1)}…` : text;
}
