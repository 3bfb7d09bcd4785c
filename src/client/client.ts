/** `carrel/client`: a Carrel server as one user sees it. What is exported here is a contract. */
export { CarrelClient, type CarrelClientOptions } from './carrel-client.js';
export { CarrelClientError, type ClientErrorCode } from './client-error.js';
export type { EventsOptions } from './event-reader.js';
export type { TokenSource } from './http-door.js';
export type { TransportChoice } from './live-events.js';
export type { ClientStatus, EventGap } from './live-feed.js';
export type {
  AgentView,
  ExecutionView,
  IsolationView,
  LimitsView,
  MessageView,
  MeView,
  PipelineView,
  QueueView,
  RequestOptions,
  ThreadView,
  ToolsView,
} from './resources.js';
export type { RunHandle } from './run-handle.js';
export type { StartRequest } from './runs.js';
export type { ApprovalView } from '../edge/approval-view.js';
export type { ListView } from '../edge/list-view.js';
export type { McpServerView, McpToolsView } from '../edge/mcp-view.js';
export type { RunView } from '../edge/run-view.js';
export type { ScheduleView } from '../edge/schedule-view.js';
export type { UsageView } from '../edge/usage-view.js';
export type { RunEvent, RunEventData, RunEventType } from '../events/run-event.js';
