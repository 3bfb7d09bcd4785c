import type { LanguageModelV4Message, LanguageModelV4ToolResultPart } from '@ai-sdk/provider';
import type { AgentRun } from '../../agents/agent-run.js';
import type { ToolResult } from '../../agents/tools/tool-result.js';
import { CarrelError, isCarrelError, type ErrorCode } from '../../shared/errors.js';
import type { JsonObject } from '../../shared/json.js';
import type { ModelAnswer, ToolRequest } from './model-answer.js';

/** So much of a tool's text a model is given; the whole of it is in the record. */
const MAX_RESULT_CHARS = 48_000;

/** Failures that a model can do something about, or has to work around. */
const FOR_THE_MODEL: ReadonlySet<ErrorCode> = new Set([
  'unknown_tool',
  'invalid_arguments',
  'tool_denied',
  'tool_declined',
  'tool_failed',
  'tool_timed_out',
  'tool_result_too_large',
  'invalid_tool_result',
  'mcp_unavailable',
  'mcp_tool_changed',
  'step_not_done',
]);

type ToolMessage = Extract<LanguageModelV4Message, { role: 'tool' }>;
type Output = LanguageModelV4ToolResultPart['output'];

/**
 * Calls the tools that a model asks for in one answer, each as a step of the run: side by side when all of them only read,
 * else in their order.
 *
 * @returns the message with all results, which has to follow the answer
 * @throws what is no failure of a tool: the run was stopped or suspended, or has too many steps
 */
export async function callTools(answer: ModelAnswer, run: AgentRun): Promise<ToolMessage> {
  const { calls, finishReason } = answer;
  const isCut = finishReason === 'length'; // arguments may be whole JSON and still not be what was meant
  const call = async (request: ToolRequest): Promise<LanguageModelV4ToolResultPart> => {
    const output = isCut
      ? failure('your answer was cut off at its limit; ask again, with less')
      : await callTool(request, run);
    return { type: 'tool-result', toolCallId: request.id, toolName: request.name, output };
  };
  const content: LanguageModelV4ToolResultPart[] = [];
  if (calls.every(({ tool }) => tool?.reads)) content.push(...(await allOf(calls.map(call))));
  else for (const request of calls) content.push(await call(request));
  return { role: 'tool', content };
}

/** Waits for all of them, so that none is left behind when one throws. */
async function allOf<Result>(promises: readonly Promise<Result>[]): Promise<Result[]> {
  const settled = await Promise.allSettled(promises);
  return settled.map((end) => {
    if (end.status === 'rejected') throw end.reason;
    return end.value;
  });
}

async function callTool({ name, tool, input, invalid }: ToolRequest, run: AgentRun): Promise<Output> {
  if (invalid !== undefined) return failure(`invalid_arguments: they are not JSON: ${invalid}`);
  if (!tool) return failure(`unknown_tool: there is no tool "${name}"`);
  try {
    return outputOf(await run.tools.call(tool.server, tool.tool, input as JsonObject));
  } catch (error) {
    run.signal.throwIfAborted();
    if (!isCarrelError(error) || !FOR_THE_MODEL.has(error.code)) throw error;
    return failure(told(error));
  }
}

function failure(value: string): Output {
  return { type: 'error-text', value };
}

/** With what is wrong with the arguments, or names that are like the one asked for. */
function told({ code, message, details }: CarrelError): string {
  return details === undefined ? `${code}: ${message}` : `${code}: ${message} ${JSON.stringify(details)}`;
}

function outputOf({ text, structured, content }: ToolResult): Output {
  if (text === '' && structured !== undefined && JSON.stringify(structured).length <= MAX_RESULT_CHARS) {
    return { type: 'json', value: structured };
  }
  const words = text === '' && structured !== undefined ? JSON.stringify(structured) : text;
  const others = content
    .filter(({ type }) => type !== 'text')
    .map(({ type }) => `[${typeof type === 'string' ? type : 'something'}, which is not shown here]`);
  return { type: 'text', value: [cut(words), ...others].filter(Boolean).join('\n') };
}

function cut(text: string): string {
  if (text.length <= MAX_RESULT_CHARS) return text;
  return `${text.slice(0, MAX_RESULT_CHARS)}\n[cut: ${text.length} characters; ask for less at a time]`;
}
