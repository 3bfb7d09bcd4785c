import { Inject, Injectable } from '@nestjs/common';
import type { ToolDefinition, ToolRef, UsableTool } from '../../agents/tools/tool-definition.js';
import { CARREL_CONFIG, type CarrelConfig } from '../../config/config.js';
import type { UserExecutionContext } from '../../context/user-execution-context.js';
import { cutText } from '../../events/redaction.js';
import { CLOCK, type Clock } from '../../shared/clock.js';
import { CarrelError, isCarrelError, type ErrorCode } from '../../shared/errors.js';
import { didYouMean, nearNames } from '../../shared/near-names.js';
import { mayUse, mayUseServer, mustAsk, type ToolUser } from './tool-policy.js';
import { ToolSchemas } from './tool-schemas.service.js';
import type { HeldBackTool, ToolListing } from './tool-source.port.js';
import { ToolSources } from './tool-sources.service.js';

const MAX_NAME_CHARS = 64;
const NOTHING: UsableTools = { tools: [], heldBack: [], unreachable: [] };

/** What a user may use now. */
export interface UsableTools {
  /** By server, the application's own first, in the servers' order. */
  readonly tools: readonly UsableTool[];
  readonly heldBack: readonly HeldBackTool[];
  readonly unreachable: readonly UnreachableServer[];
}

/** A server whose tools are not known now. */
interface UnreachableServer {
  readonly server: string;
  readonly code: ErrorCode;
  readonly message: string;
  readonly retryAfterMs?: number;
}

/** What tools there are for a user: the policy decides here, each time that somebody looks and before each call. */
@Injectable()
export class ToolCatalogue {
  constructor(
    private readonly sources: ToolSources,
    private readonly schemas: ToolSchemas,
    @Inject(CARREL_CONFIG) private readonly config: CarrelConfig,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /**
   * Asks all servers at once; one that fails, or takes too long, only leaves out its own tools.
   *
   * @param agent who would call them; undefined: any
   */
  async list(context: UserExecutionContext, agent?: string): Promise<UsableTools> {
    const lists = await Promise.all(this.sources.servers.map((server) => this.listServer(context, agent, server)));
    return {
      tools: lists.flatMap(({ tools }) => tools),
      heldBack: lists.flatMap(({ heldBack }) => heldBack),
      unreachable: lists.flatMap((one) => one.unreachable),
    };
  }

  /**
   * The tool, if this user may call it from this agent now.
   *
   * @throws CarrelError `unknown_tool` | `tool_denied` | `mcp_tool_changed`; whatever the source's `list` throws
   */
  async find(context: UserExecutionContext, agent: string, { server, tool }: ToolRef): Promise<UsableTool> {
    if (!this.sources.find(server)) throw unknownServer(server, this.sources.servers);
    const user = { roles: context.roles, agent };
    if (!mayUseServer(this.config.mcp.policy, server, user)) throw denied(server, tool);
    const { tools, heldBack } = await this.offered(context, server);
    const found = tools.find((one) => one.tool === tool);
    const held = found ? undefined : heldBack.find((one) => one.tool === tool);
    if ((found ?? held) && !mayUse(this.config.mcp.policy, { server, tool }, user)) throw denied(server, tool);
    if (held) throw notCallable(held);
    if (!found) {
      const usable = tools.filter((one) => mayUse(this.config.mcp.policy, one, user));
      throw unknownTool(server, tool, usable);
    }
    return this.usable(found, user);
  }

  private async listServer(
    context: UserExecutionContext,
    agent: string | undefined,
    server: string,
  ): Promise<UsableTools> {
    const user = { roles: context.roles, agent };
    const { policy } = this.config.mcp;
    if (!mayUseServer(policy, server, user)) return NOTHING;
    try {
      const { tools, heldBack } = await this.offered(context, server);
      return {
        tools: tools.filter((tool) => mayUse(policy, tool, user)).map((tool) => this.usable(tool, user)),
        heldBack: heldBack.filter((tool) => mayUse(policy, tool, user)),
        unreachable: [],
      };
    } catch (error) {
      context.signal.throwIfAborted();
      return { tools: [], heldBack: [], unreachable: [unreachableServer(server, error)] };
    }
  }

  /**
   * What a server offers this user, less what nobody could call; whatever the policy says.
   *
   * @param gone aborted when nobody waits for it any more
   * @throws CarrelError whatever the source's `list` throws
   */
  async offered(context: UserExecutionContext, server: string, gone = context.signal): Promise<ToolListing> {
    const { tools, heldBack } = await this.inTime(context, server, gone);
    const callable = new Map<string, ToolDefinition>();
    const wrong: HeldBackTool[] = [];
    for (const definition of tools) {
      const { tool, inputSchema, outputSchema } = definition;
      const checks = [inputSchema, ...(outputSchema ? [outputSchema] : [])].map((schema) =>
        this.schemas.checkOf(schema),
      );
      const reason = checks.find((check) => typeof check === 'string');
      if (reason !== undefined) wrong.push({ server, tool, code: 'invalid_tool', reason });
      else if (!callable.has(tool)) callable.set(tool, definition);
    }
    return { tools: [...callable.values()], heldBack: [...heldBack, ...wrong] };
  }

  private async inTime(context: UserExecutionContext, server: string, gone: AbortSignal): Promise<ToolListing> {
    const limitMs = this.config.tools.timeoutMs;
    const late = new AbortController();
    const cancelTimer = this.clock.after(limitMs, () => late.abort(tooLate(server, limitMs)));
    const signal = AbortSignal.any([gone, late.signal]);
    const stopped = Promise.withResolvers<never>();
    const stop = () => stopped.reject(signal.reason);
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    try {
      return await Promise.race([this.sources.find(server)!.list(context, server, signal), stopped.promise]);
    } finally {
      cancelTimer();
      signal.removeEventListener('abort', stop);
    }
  }

  private usable(definition: ToolDefinition, user: ToolUser): UsableTool {
    return { ...definition, needsApproval: mustAsk(this.config.mcp.policy, definition, user) };
  }
}

function unreachableServer(server: string, error: unknown): UnreachableServer {
  if (!isCarrelError(error)) return { server, code: 'mcp_unavailable', message: 'its tools can not be listed' };
  return { server, code: error.code, message: error.message, retryAfterMs: error.retryAfterMs };
}

function tooLate(server: string, limitMs: number): CarrelError {
  return new CarrelError('mcp_unavailable', `"${server}" did not say within ${limitMs} ms what tools it has`);
}

function unknownServer(server: string, servers: readonly string[]): CarrelError {
  const hint = didYouMean(server, servers) || ' GET /v1/tools lists what you may use.';
  const text = `There is no server of tools "${cutText(server, MAX_NAME_CHARS)}".${hint}`;
  return new CarrelError('unknown_tool', text, { details: { near: nearNames(server, servers) } });
}

function unknownTool(server: string, tool: string, usable: readonly ToolRef[]): CarrelError {
  const names = usable.map((one) => one.tool);
  const hint = didYouMean(tool, names) || ' GET /v1/tools lists what you may use.';
  const text = `"${server}" has no tool "${cutText(tool, MAX_NAME_CHARS)}".${hint}`;
  return new CarrelError('unknown_tool', text, { details: { near: nearNames(tool, names) } });
}

function denied(server: string, tool: string): CarrelError {
  return new CarrelError('tool_denied', `the policy does not let you use "${tool}" of "${server}" from here`);
}

function notCallable({ server, tool, code, reason }: HeldBackTool): CarrelError {
  const text = `"${tool}" of "${server}" is held back: ${reason}`;
  return new CarrelError(code === 'mcp_tool_changed' ? code : 'unknown_tool', text);
}
