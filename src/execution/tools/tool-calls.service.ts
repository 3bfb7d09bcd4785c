import { Inject, Injectable } from '@nestjs/common';
import type { ToolRef, UsableTool } from '../../agents/tools/tool-definition.js';
import type { ToolResult } from '../../agents/tools/tool-result.js';
import { CARREL_CONFIG, type CarrelConfig } from '../../config/config.js';
import type { ExecutionScope } from '../../context/execution-scope.js';
import { redact } from '../../events/redaction.js';
import { CarrelError, isCarrelError } from '../../shared/errors.js';
import { plainCopy, whyNotPlainJson, type JsonObject, type JsonValue } from '../../shared/json.js';
import type { RunSteps } from '../run-steps.js';
import type { StepEnd } from '../step-scope.js';
import type { PreparedTool } from '../tool-step.js';
import { ToolCatalogue } from './tool-catalogue.service.js';
import { invocationOf } from './tool-invocation.js';
import { packed } from './tool-record.js';
import { ToolSchemas } from './tool-schemas.service.js';
import type { ToolInvocation } from './tool-source.port.js';
import { ToolSources } from './tool-sources.service.js';
import { callIdOf, ToolTelling } from './tool-telling.js';

/** What a path has no place for. */
const NOT_IN_A_NAME = /[/:\p{C}]/gu;
const MAX_NAME_CHARS = 64;
/** Deeper than anybody's results are, and shallow enough to be walked through. */
const MAX_RESULT_DEPTH = 64;

/** Who calls a tool, and from where. */
export interface ToolCaller {
  readonly steps: RunSteps;
  readonly scope: ExecutionScope;
  /** Name of the agent. */
  readonly agent: string;
}

/** Calls tools, each as a durable step: the only way to them there is. */
@Injectable()
export class ToolCalls {
  constructor(
    readonly catalogue: ToolCatalogue,
    private readonly sources: ToolSources,
    private readonly schemas: ToolSchemas,
    @Inject(CARREL_CONFIG) private readonly config: CarrelConfig,
  ) {}

  /** A step whose result is what `unpacked` reads. Never throws before it returns. */
  call(caller: ToolCaller, ref: ToolRef, args: unknown): Promise<StepEnd> {
    const name = `${ref.server}.${ref.tool}`.replaceAll(NOT_IN_A_NAME, '_').slice(0, MAX_NAME_CHARS);
    return caller.steps.tool({ name, prepare: (path) => this.prepare(caller, ref, args, path) });
  }

  private async prepare(caller: ToolCaller, ref: ToolRef, given: unknown, path: string): Promise<PreparedTool> {
    const { context } = caller.steps;
    const tool = await this.catalogue.find(context, caller.agent, ref);
    const args = await this.checked(tool, given);
    const callId = callIdOf(context.runId!, path);
    return {
      effect: tool.effect,
      timeoutMs: tool.timeoutMs ?? this.config.tools.timeoutMs,
      telling: new ToolTelling(callId, ref, args),
      ...(tool.needsApproval && { approval: approvalOf(tool, args) }),
      declined: (decision) => declined(tool, decision === 'expired'),
      timedOut: (limitMs) => timedOut(tool, limitMs),
      work: (call) =>
        this.carryOut(tool, args, invocationOf({ ...caller, call, callId, path, sampler: this.sources.sampler })),
    };
  }

  private async checked(tool: UsableTool, given: unknown): Promise<JsonObject> {
    const bounds = { maxBytes: this.config.http.bodyLimitBytes, maxDepth: this.config.limits.jsonDepth };
    const isObject = typeof given === 'object' && given !== null && !Array.isArray(given);
    const reason = isObject ? whyNotPlainJson(given, 'arguments', bounds) : 'the arguments are not an object';
    if (reason) throw invalidArguments(tool, [{ path: '', message: reason }]);
    const args = plainCopy(given as JsonObject);
    const source = this.sources.find(tool.server)!;
    const check = source.check ? undefined : this.schemas.checkOf(tool.inputSchema);
    const issues = typeof check === 'function' ? check(args) : ((await source.check?.(tool, plainCopy(args))) ?? []);
    if (issues.length > 0) throw invalidArguments(tool, issues);
    return args;
  }

  private async carryOut(tool: UsableTool, args: JsonObject, call: ToolInvocation): Promise<JsonValue> {
    const source = this.sources.find(tool.server)!;
    call.signal.throwIfAborted(); // the journal may have made it wait
    let result: ToolResult;
    try {
      result = await source.call(call.context, tool, plainCopy(args), call);
    } catch (error) {
      call.signal.throwIfAborted();
      throw asFailure(tool, error);
    }
    const record = this.bounded(tool, result);
    const check = tool.outputSchema && !source.check ? this.schemas.checkOf(tool.outputSchema) : undefined;
    if (typeof check !== 'function') return record;
    const issues =
      result.structured === undefined
        ? [{ path: '', message: 'there is no structured result' }]
        : check(result.structured);
    if (issues.length > 0)
      throw invalidResult(
        tool,
        issues.map(({ path, message }) => `${path} ${message}`.trim()),
      );
    return record;
  }

  private bounded(tool: UsableTool, result: ToolResult): JsonObject {
    const maxBytes = this.config.tools.resultBytes;
    const record = packed(result);
    const reason = whyNotPlainJson(record, 'result', {
      maxBytes: Number.POSITIVE_INFINITY,
      maxDepth: MAX_RESULT_DEPTH,
    });
    if (reason) throw invalidResult(tool, [reason]);
    const text = JSON.stringify(record);
    const bytes = Buffer.byteLength(text);
    if (bytes > maxBytes) {
      const message = `"${tool.tool}" answered with ${bytes} bytes; at most ${maxBytes} are taken (CARREL_TOOL_RESULT_BYTES)`;
      throw new CarrelError('tool_result_too_large', message);
    }
    return JSON.parse(text) as JsonObject;
  }
}

function approvalOf({ server, tool, title }: UsableTool, args: JsonObject) {
  const details = { server, tool, arguments: redact(args) };
  return { kind: 'approval', title: `Let "${title ?? tool}" of "${server}" be called?`, details } as const;
}

function invalidArguments({ tool }: ToolRef, issues: readonly { path: string; message: string }[]): CarrelError {
  const [first] = issues;
  const more = issues.length > 1 ? ` (and ${issues.length - 1} more)` : '';
  const reason = [first?.path, first?.message].filter(Boolean).join(': ');
  const details = { issues: issues.map(({ path, message }) => ({ path, message })) };
  return new CarrelError('invalid_arguments', `The arguments do not fit "${tool}": ${reason}${more}`, { details });
}

function invalidResult({ tool }: ToolRef, reasons: readonly string[]): CarrelError {
  return new CarrelError('invalid_tool_result', `"${tool}" did not answer as it promised: ${reasons.join('; ')}`);
}

function declined({ tool }: ToolRef, isExpired: boolean): CarrelError {
  const why = isExpired ? 'nobody approved it in time' : 'it was not approved';
  return new CarrelError('tool_declined', `"${tool}" was not called: ${why}`);
}

function timedOut({ tool }: ToolRef, limitMs: number): CarrelError {
  return new CarrelError('tool_timed_out', `"${tool}" took longer than it may (${limitMs} ms)`);
}

/** What an error of ours says may be said; anything else is for the log. */
function asFailure({ tool }: ToolRef, cause: unknown): CarrelError {
  if (!isCarrelError(cause)) return new CarrelError('tool_failed', `"${tool}" failed`, { cause });
  if (cause.code !== 'agent_failed') return cause;
  const { message, retryable, retryAfterMs, details } = cause;
  return new CarrelError('tool_failed', message, { cause, retryable, retryAfterMs, details });
}
