import {
  isInputRequiredResult,
  ProtocolError,
  ProtocolErrorCode,
  type CallToolRequestParams,
  type CallToolResult,
  type Client,
  type InputRequest,
  type InputResponse,
  type InputResponses,
  type JSONRPCMessage,
  type Transport,
} from '@modelcontextprotocol/client';
import { Logger } from '@nestjs/common';
import type { ToolResult } from '../../../agents/tools/tool-result.js';
import type { Clock } from '../../../shared/clock.js';
import { CarrelError } from '../../../shared/errors.js';
import type { UserId } from '../../../shared/ids.js';
import type { JsonObject } from '../../../shared/json.js';
import type { ToolInvocation } from '../../tools/tool-source.port.js';
import { callFailure, isConnectionLost } from './call-failure.js';
import { CallsInFlight } from './calls-in-flight.js';
import { CancelledCalls } from './cancelled-calls.js';
import type { ListedTool } from './listed-tool.js';
import { MessageRate } from './message-rate.js';
import { OpenCall, rootsOf } from './open-call.js';
import { ProgressPump } from './progress-pump.js';
import { sessionClient } from './session-client.js';
import { toolAnswer } from './tool-answer.js';
import { ToolList, type ListedTools } from './tool-list.js';

/** How often a server may answer a call with questions instead of a result. */
const MAX_ROUNDS = 10;
const MAX_LOG_CHARS = 1_000;
/** The SDK wants a time limit; ours is the call's signal. */
const NO_TIMEOUT_MS = 2 ** 31 - 1;
/** What a server is told; why it is cancelled is the user's affair. */
const CANCELLED = 'cancelled';

/** What a session is about. */
export interface McpSessionFacts {
  readonly userId: UserId;
  readonly server: string;
  /** The user's own, for a server that works in it; undefined for one elsewhere. */
  readonly folder?: string;
  readonly canSample: boolean;
  readonly connectTimeoutMs: number;
  /** Takes out of a text what must not be in the log. */
  readonly blackOut: (text: string) => string;
}

/** What is said over one connection: by one user's runs to one server, and back. */
export class McpSession {
  readonly client: Client;
  private readonly logger = new Logger('McpServer');
  private readonly tools: ToolList;
  private readonly inFlight = new CallsInFlight();
  private readonly closed = Promise.withResolvers<never>();
  private givenUp = false;
  private onceCalls = 0;

  constructor(
    private readonly facts: McpSessionFacts,
    private readonly clock: Clock,
  ) {
    const { server, folder, canSample, connectTimeoutMs } = facts;
    const onToolsChanged = () => this.tools.forget();
    this.client = sessionClient({ hasFolder: folder !== undefined, canSample, connectTimeoutMs, onToolsChanged });
    this.tools = new ToolList(this.client, server, clock, connectTimeoutMs);
    this.answerRequests();
    this.client.setNotificationHandler('notifications/message', ({ params }) => this.log(params));
    this.closed.promise.catch(() => undefined);
    Object.assign(this.client, {
      onclose: () => this.closed.reject(new CarrelError('mcp_unavailable', 'the connection was closed')),
      onerror: () => undefined, // late and unknown messages; whoever waits for something hears of it
    });
  }

  /**
   * Watches what goes over the connection, from before it is opened.
   *
   * @param end closes the connection; with a reason when the server is to blame
   */
  attach(transport: Transport, end: (reason?: CarrelError) => void): void {
    const rate = new MessageRate(this.clock);
    const cancelled = new CancelledCalls(this.client, this.clock, () => this.giveUp());
    const send = transport.send.bind(transport);
    transport.send = (message, options) => {
      cancelled.sent(message);
      return send(message, options);
    };
    const received = (message: JSONRPCMessage) => {
      cancelled.received(message);
      if (!rate.takes(message)) end(tooManyMessages());
    };
    Object.assign(transport, { onmessage: received }); // the SDK calls it before its own
    this.close = end;
  }

  /** @throws CarrelError `mcp_unavailable`; what the SDK throws */
  async listTools(): Promise<ListedTools> {
    return await this.tools.get();
  }

  /** It is closed for the sake of a call that would not stop: what does no harm twice may be called again. */
  get isGivenUp(): boolean {
    return this.givenUp;
  }

  /**
   * @param sent is told when the call goes out
   * @throws CarrelError, as `ToolSource.call` does; the signal's reason when it is stopped
   */
  async call(tool: ListedTool, args: JsonObject, invocation: ToolInvocation, sent: () => void): Promise<ToolResult> {
    const isOnce = tool.definition.effect === 'once';
    if (isOnce && this.givenUp) await this.closed.promise;
    if (isOnce) this.onceCalls += 1;
    try {
      return await this.carryOut(tool, args, invocation, sent);
    } finally {
      if (isOnce) this.onceCalls -= 1;
      if (this.givenUp) this.giveUp();
    }
  }

  private async carryOut(
    tool: ListedTool,
    args: JsonObject,
    invocation: ToolInvocation,
    sent: () => void,
  ): Promise<ToolResult> {
    const call = new OpenCall(tool.definition, invocation);
    const progress = new ProgressPump(invocation, this.clock);
    const rounds = async () => {
      sent();
      return await this.rounds(call, tool, args, progress);
    };
    try {
      const isLegacy = this.client.getProtocolEra() === 'legacy';
      const result = isLegacy ? await this.inFlight.during(call, rounds) : await rounds();
      if (call.failure !== undefined) throw call.failure;
      return toolAnswer(result, tool.definition);
    } catch (error) {
      invocation.signal.throwIfAborted();
      if (call.failure !== undefined) throw call.failure;
      if (isConnectionLost(error)) this.close();
      throw callFailure(error, tool.definition);
    } finally {
      await progress.flush();
    }
  }

  /** It is closed as soon as nothing is under way that must not be done twice. */
  private giveUp(): void {
    this.givenUp = true;
    if (this.onceCalls === 0) this.close();
  }

  private close: (reason?: CarrelError) => void = () => undefined;

  /** Asks for the result until it is one: a server of the stateless protocol may want to know something first. */
  private async rounds(
    call: OpenCall,
    { raw }: ListedTool,
    args: JsonObject,
    progress: ProgressPump,
  ): Promise<CallToolResult> {
    const { idempotencyKey, context } = call.invocation;
    const _meta = { 'carrel/idempotencyKey': idempotencyKey, 'carrel/runId': context.runId };
    let params: CallToolRequestParams = { name: raw.name, arguments: args, _meta };
    for (let round = 0; round < MAX_ROUNDS; round += 1) {
      const result: unknown = await this.request(call, { params, raw }, progress);
      if (!isInputRequiredResult(result)) return result as CallToolResult;
      const inputResponses = await this.answersTo(call, result.inputRequests ?? {});
      const { requestState } = result;
      params = { ...params, inputResponses, requestState } as CallToolRequestParams;
      if (requestState === undefined) delete (params as { requestState?: string }).requestState;
    }
    throw new CarrelError('tool_failed', `"${raw.name}" of "${this.facts.server}" never stops asking`);
  }

  private async request(
    { signal }: OpenCall,
    { params, raw }: { params: CallToolRequestParams; raw: ListedTool['raw'] },
    progress: ProgressPump,
  ): Promise<CallToolResult> {
    const stopped = new AbortController();
    const stop = () => stopped.abort(CANCELLED);
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    try {
      return await this.client.callTool(params, {
        signal: stopped.signal,
        timeout: NO_TIMEOUT_MS,
        onprogress: (told) => progress.push(told),
        allowInputRequired: true,
        toolDefinition: raw,
      });
    } finally {
      signal.removeEventListener('abort', stop);
    }
  }

  private async answersTo(call: OpenCall, requests: Readonly<Record<string, InputRequest>>): Promise<InputResponses> {
    const answers: [string, InputResponse][] = [];
    for (const [key, request] of Object.entries(requests)) {
      answers.push([key, await call.answer(request, this.facts.folder)]);
    }
    return Object.fromEntries(answers);
  }

  /** In the session-based protocol the server asks by requests of its own. */
  private answerRequests(): void {
    const { folder, canSample } = this.facts;
    const answer = async <Response extends InputResponse>(request: InputRequest, signal: AbortSignal) => {
      const answered = await this.inFlight.whichAsks((call) => call.answer(request, folder), signal);
      if (answered) return answered as Response;
      throw new ProtocolError(ProtocolErrorCode.InvalidRequest, 'it is not clear in which call');
    };
    if (folder !== undefined) this.client.setRequestHandler('roots/list', () => rootsOf(folder));
    this.client.setRequestHandler('elicitation/create', (request, { mcpReq }) => answer(request, mcpReq.signal));
    if (canSample)
      this.client.setRequestHandler('sampling/createMessage', (request, { mcpReq }) => answer(request, mcpReq.signal));
  }

  private log({ level, data }: { level: string; data?: unknown }): void {
    const { userId, server, blackOut } = this.facts;
    const text = blackOut(JSON.stringify(data) ?? '').slice(0, MAX_LOG_CHARS);
    this.logger.debug({ userId, mcpServer: server, level, data: text }, 'an MCP server logs');
  }
}

function tooManyMessages(): CarrelError {
  return new CarrelError('mcp_unavailable', 'it sends more than it was asked for: too many notifications');
}
