/** The public API of Carrel. What is exported here is a contract; everything else may change. */
export { Agent } from './agents/agent.decorator.js';
export type { AgentDefinition } from './agents/agent-definition.js';
export { RetryableError, TerminalError } from './agents/agent-error.js';
export { switchToAgent } from './agents/agent-execution-context.js';
export type {
  AgentInput,
  AgentOptions,
  AgentPart,
  AgentProvider,
  BreakerOptions,
  FallbackOptions,
} from './agents/agent-provider.js';
export type { RetryOptions } from './agents/retry-options.js';
export { AgentRegistry } from './agents/agent-registry.service.js';
export type { AgentRun, Ask, SpawnOptions, StepCall, StepOptions, ToolCall } from './agents/agent-run.js';
export type { AgentToolCall } from './agents/tools/agent-tool-call.js';
export { AgentTool, type AgentToolOptions } from './agents/tools/agent-tool.decorator.js';
export type { ToolDefinition, ToolRef, UsableTool } from './agents/tools/tool-definition.js';
export type { ToolResult } from './agents/tools/tool-result.js';
export type { UserTools } from './agents/tools/user-tools.js';
export { CarrelModule, type CarrelModuleOptions } from './app.module.js';
export type { CarrelConfig } from './config/config.js';
export { loadConfig } from './config/load-config.js';
export type { CleanUp } from './context/execution-scope.js';
export { httpServerOptions } from './edge/http-server-options.js';
export { UserExecutionContext } from './context/user-execution-context.js';
export { configureCarrel, createCarrelApp } from './create-app.js';
export type { ClientToServerEvents, ServerToClientEvents, WireReply } from './edge/wire-events.js';
export type { ApprovalAnswer, ApprovalDecision, ApprovalKind, ApprovalRecord } from './events/approval-record.js';
export type { RunEvent, RunEventData, RunEventType } from './events/run-event.js';
export type { RunError } from './events/run-error.js';
export type { StepEffect } from './events/step-record.js';
export type { AgentExecutionResult } from './execution/agent-execution-result.js';
export type { ApprovalResponse } from './execution/approval-response.js';
export { ApprovalService } from './execution/approval.service.js';
export { ExecutionEngineFactory, type FactoryReport } from './execution/execution-engine.factory.js';
export { ExecutionModule } from './execution/execution.module.js';
export { ExecutionService } from './execution/execution.service.js';
export { McpExecutionService, type McpExecutionOptions } from './execution/mcp/mcp-execution.service.js';
export type { RequestDecision, ToolCandidate, ToolRequest } from './execution/mcp/analysis/request-decision.js';
export type { ToolsResult } from './execution/mcp/library/tools.agent.js';
export { ExecutionHook, type ExecutionHookOptions, type RunFacts } from './execution/hooks/execution-hook.js';
export { LlmAgent, type LlmAnswer, type LlmProgress } from './execution/models/llm-agent.js';
export type { TokenUsage } from './execution/models/model-answer.js';
export type { GivenModels } from './execution/models/providers/load-models.js';
export type { OutputSchema } from './execution/models/structured-output.js';
export type { LaneState } from './execution/lane.js';
export type { PipelineBuilder } from './execution/pipeline/pipeline-builder.js';
export { Pipeline } from './execution/pipeline/pipeline.decorator.js';
export type { PipelineOptions, PipelineProvider } from './execution/pipeline/pipeline-provider.js';
export type { PipelineResult, StepReport } from './execution/pipeline/pipeline-result.js';
export type { PipelineSpec, StepSpec } from './execution/pipeline/pipeline-spec.js';
export type { PipelineOutput, StepRef } from './execution/pipeline/pipeline-types.js';
export { PipelineService, type PipelineSummary } from './execution/pipeline/pipeline.service.js';
export { RunQuestions } from './execution/run-questions.service.js';
export type { RunRequest } from './execution/run-request.js';
export type { RunScope } from './execution/run-scope.js';
export type { RunStatus } from './execution/run-status.js';
export type { OnConflict, RunRecord } from './execution/run-store.port.js';
export type { TakenRun } from './execution/run-intake.service.js';
export type { WaitOptions } from './execution/run-waiter.service.js';
export type { ScheduleChange, ScheduleRequest } from './execution/schedule-request.js';
export { ScheduleService } from './execution/schedule.service.js';
export type { ScheduleRecord } from './execution/schedule-store.port.js';
export { CarrelError, type ErrorCode } from './shared/errors.js';
export type { ApprovalId, RequestId, RunId, ScheduleId, ThreadId, UserId } from './shared/ids.js';
export type { JsonObject, JsonValue } from './shared/json.js';
