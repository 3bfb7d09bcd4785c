import { Injectable } from '@nestjs/common';
import type { UsableTool } from '../../agents/tools/tool-definition.js';
import type { UserExecutionContext } from '../../context/user-execution-context.js';
import { CarrelError } from '../../shared/errors.js';
import type { JsonObject } from '../../shared/json.js';
import { ExecutionService } from '../execution.service.js';
import type { RunRequest } from '../run-request.js';
import type { RunRecord } from '../run-store.port.js';
import type { WaitOptions } from '../run-waiter.service.js';
import { ToolCatalogue } from '../tools/tool-catalogue.service.js';
import { RequestAnalyser } from './analysis/request-analyser.service.js';
import type { RequestDecision, ToolRequest } from './analysis/request-decision.js';
import { TOOLS_AGENT } from './library/tools.agent.js';

/** How a run of the agent `tools` is started and waited for. */
export interface McpExecutionOptions
  extends WaitOptions, Pick<RunRequest, 'threadId' | 'metadata' | 'idempotencyKey' | 'priority' | 'onConflict'> {
  /** What a failure of the tool means. @default 'fail' */
  readonly onToolError?: 'fail' | 'standard';
  /** Answers when no tool is called. @default `assistant` if there is one, else `summarise` */
  readonly standardAgent?: string;
}

/**
 * The door to tools for code: which of a user's tools a request needs, and calls of them. Every call is a run of the agent
 * `tools`: durable, with events, in the user's lane, under the operator's policy, and after the user's approval where that
 * asks for one.
 */
@Injectable()
export class McpExecutionService {
  constructor(
    private readonly catalogue: ToolCatalogue,
    private readonly analyser: RequestAnalyser,
    private readonly execution: ExecutionService,
  ) {}

  /** What this user may call now. A server that does not answer has nothing here. */
  async listTools(context: UserExecutionContext): Promise<readonly UsableTool[]> {
    const { tools } = await this.catalogue.list(context, TOOLS_AGENT);
    return tools;
  }

  /**
   * Whether a request needs one of this user's tools, and which. Calls none of them.
   *
   * @throws CarrelError `invalid_request` for arguments that are no plain, bounded data
   */
  async analyzeRequest(context: UserExecutionContext, request: string | ToolRequest): Promise<RequestDecision> {
    return this.analyser.analyse(context, await this.listTools(context), asRequest(request));
  }

  /**
   * Carries a request out: with the tool that it needs, or by the standard agent. A decision has its first candidate called
   * as it is, whatever tools there are by now.
   *
   * @returns the run as it is at its end, or when the options' time or patience is over; it may be suspended, for the user's
   *   approval
   * @throws CarrelError `invalid_request` for a decision that is against a tool; whatever `ExecutionService.submit` throws
   */
  execute(
    context: UserExecutionContext,
    request: string | ToolRequest | RequestDecision,
    options: McpExecutionOptions = {},
  ): Promise<RunRecord> {
    if (typeof request === 'object' && 'requiresMcp' in request) {
      const first = request.requiresMcp ? request.candidates[0] : undefined;
      if (!first)
        throw new CarrelError(
          'invalid_request',
          `the decision calls no tool: ${request.reason}. Give the request itself`,
        );
      return this.callTool(context, first.server, first.tool, first.arguments, options);
    }
    const { onToolError, standardAgent } = options;
    return this.start(context, { ...asRequest(request), onToolError, standardAgent }, options);
  }

  /**
   * Calls one tool.
   *
   * @returns and throws as `execute` does
   */
  callTool(
    context: UserExecutionContext,
    server: string,
    tool: string,
    args: JsonObject = {},
    options: McpExecutionOptions = {},
  ): Promise<RunRecord> {
    return this.start(context, { call: { server, tool, arguments: args } }, options);
  }

  private start(context: UserExecutionContext, input: object, options: McpExecutionOptions): Promise<RunRecord> {
    const { timeoutMs, signal, onToolError: _, standardAgent: __, ...request } = options;
    const given = Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined));
    return this.execution.execute(context, { ...request, agent: TOOLS_AGENT, input: given }, { timeoutMs, signal });
  }
}

function asRequest(request: string | ToolRequest): ToolRequest {
  return typeof request === 'string' ? { text: request } : request;
}
