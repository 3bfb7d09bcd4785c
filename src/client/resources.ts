import type { AdminController } from '../edge/admin.controller.js';
import type { AgentsController } from '../edge/agents.controller.js';
import type { ApprovalView } from '../edge/approval-view.js';
import type { ApprovalListQuery } from '../edge/approval-list.query.js';
import type { DecisionDto } from '../edge/decision.dto.js';
import type { IsolationController } from '../edge/isolation.controller.js';
import type { ListView } from '../edge/list-view.js';
import type { McpServerView, McpToolsView } from '../edge/mcp-view.js';
import type { MeController } from '../edge/me.controller.js';
import type { MessagesController } from '../edge/messages.controller.js';
import type { PipelinesController } from '../edge/pipelines.controller.js';
import type { RunListQuery } from '../edge/run-list.query.js';
import type { RunView } from '../edge/run-view.js';
import type { NewScheduleDto, ScheduleChangeDto } from '../edge/schedule.dto.js';
import type { ScheduleView } from '../edge/schedule-view.js';
import type { ThreadsController } from '../edge/threads.controller.js';
import type { ToolsController } from '../edge/tools.controller.js';
import type { UsageView } from '../edge/usage-view.js';
import type { HttpDoor, HttpRequest } from './http-door.js';

export interface RequestOptions {
  readonly signal?: AbortSignal;
}

/** What a method of the server's answers with. */
type Answer<Class, Method extends keyof Class> = Class[Method] extends (...args: never[]) => infer Result
  ? Awaited<Result>
  : never;

type Page = RequestOptions & { readonly limit?: number; readonly cursor?: string };

export type AgentView = Answer<AgentsController, 'find'>;
export type PipelineView = Answer<PipelinesController, 'find'>;
export type ThreadView = Answer<ThreadsController, 'find'>;
export type MessageView = Answer<MessagesController, 'list'>['items'][number];
export type MeView = Answer<MeController, 'me'>;
export type LimitsView = Answer<MeController, 'limits'>;
export type QueueView = Answer<MeController, 'queue'>;
export type IsolationView = Answer<IsolationController, 'isolation'>;
export type ExecutionView = Answer<AdminController, 'execution'>;
export type ToolsView = Answer<ToolsController, 'list'>;

abstract class Resource {
  constructor(protected readonly door: HttpDoor) {}

  protected get<T>(path: string, { signal, ...query }: RequestOptions = {}): Promise<T> {
    return this.door.request('GET', path, { signal, query });
  }

  protected send<T>(method: string, path: string, request: HttpRequest): Promise<T> {
    return this.door.request(method, path, request);
  }
}

const at = (path: string, name: string) => `${path}/${encodeURIComponent(name)}`;

/** What can be run. */
export class Agents extends Resource {
  async list(options?: RequestOptions): Promise<readonly AgentView[]> {
    return (await this.get<ListView<AgentView>>('/v1/agents', options)).items;
  }

  find(name: string, options?: RequestOptions): Promise<AgentView> {
    return this.get(at('/v1/agents', name), options);
  }
}

export class Pipelines extends Resource {
  async list(options?: RequestOptions): Promise<readonly PipelineView[]> {
    return (await this.get<ListView<PipelineView>>('/v1/pipelines', options)).items;
  }

  find(name: string, options?: RequestOptions): Promise<PipelineView> {
    return this.get(at('/v1/pipelines', name), options);
  }
}

export type RunQuery = Page & Pick<RunListQuery, 'status'> & { readonly threadId?: string };

/** Conversations of the caller. */
export class Threads extends Resource {
  create(thread: { id?: string; title?: string; metadata?: object } = {}, { signal }: RequestOptions = {}) {
    return this.send<ThreadView>('POST', '/v1/threads', { body: thread, signal });
  }

  list(page?: Page): Promise<ListView<ThreadView>> {
    return this.get('/v1/threads', page);
  }

  find(id: string, options?: RequestOptions): Promise<ThreadView> {
    return this.get(at('/v1/threads', id), options);
  }

  /** What was said, oldest first. */
  messages(id: string, page?: Page): Promise<ListView<MessageView>> {
    return this.get(`${at('/v1/threads', id)}/messages`, page);
  }

  runs(id: string, page?: Page): Promise<ListView<RunView>> {
    return this.get(`${at('/v1/threads', id)}/runs`, page);
  }

  /** With its conversation and its runs. */
  delete(id: string, { signal }: RequestOptions = {}): Promise<void> {
    return this.send('DELETE', at('/v1/threads', id), { signal });
  }
}

/** What runs ask people. */
export class Approvals extends Resource {
  list(page?: Page & { status?: ApprovalListQuery['status']; runId?: string }): Promise<ListView<ApprovalView>> {
    return this.get('/v1/approvals', page);
  }

  find(id: string, options?: RequestOptions): Promise<ApprovalView> {
    return this.get(at('/v1/approvals', id), options);
  }

  /** @param decision with the `hash` of what was shown, so that nothing else is decided */
  decide(id: string, decision: DecisionDto, { signal }: RequestOptions = {}): Promise<ApprovalView> {
    return this.send('POST', at('/v1/approvals', id), { body: decision, signal });
  }
}

/** Recurring runs. */
export class Schedules extends Resource {
  create(schedule: NewScheduleDto, { signal }: RequestOptions = {}): Promise<ScheduleView> {
    return this.send('POST', '/v1/schedules', { body: schedule, signal });
  }

  list(page?: Page): Promise<ListView<ScheduleView>> {
    return this.get('/v1/schedules', page);
  }

  find(id: string, options?: RequestOptions): Promise<ScheduleView> {
    return this.get(at('/v1/schedules', id), options);
  }

  change(id: string, change: ScheduleChangeDto, { signal }: RequestOptions = {}): Promise<ScheduleView> {
    return this.send('PATCH', at('/v1/schedules', id), { body: change, signal });
  }

  delete(id: string, { signal }: RequestOptions = {}): Promise<void> {
    return this.send('DELETE', at('/v1/schedules', id), { signal });
  }
}

/** The caller's tools: the application's own, and those of MCP servers. */
export class Tools extends Resource {
  list(options?: RequestOptions): Promise<ToolsView> {
    return this.get('/v1/tools', options);
  }

  async servers(options?: RequestOptions): Promise<readonly McpServerView[]> {
    return (await this.get<ListView<McpServerView>>('/v1/mcp/servers', options)).items;
  }

  ofServer(name: string, options?: RequestOptions): Promise<McpToolsView> {
    return this.get(`${at('/v1/mcp/servers', name)}/tools`, options);
  }
}

/** The caller. */
export class Me extends Resource {
  find(options?: RequestOptions): Promise<MeView> {
    return this.get('/v1/me', options);
  }

  limits(options?: RequestOptions): Promise<LimitsView> {
    return this.get('/v1/me/limits', options);
  }

  queue(options?: RequestOptions & { limit?: number }): Promise<QueueView> {
    return this.get('/v1/me/queue', options);
  }

  /** Runs, times, tokens and money, by agent. @param days ISO 8601 */
  usage(days?: RequestOptions & { from?: string; to?: string }): Promise<UsageView> {
    return this.get('/v1/me/usage', days);
  }

  isolation(options?: RequestOptions): Promise<IsolationView> {
    return this.get('/v1/me/isolation', options);
  }
}

/** The server itself, for those whose token has the role `carrel:operator`. */
export class Admin extends Resource {
  /** What the process carries out now: totals over all users. */
  execution(options?: RequestOptions): Promise<ExecutionView> {
    return this.get('/v1/admin/execution', options);
  }
}
