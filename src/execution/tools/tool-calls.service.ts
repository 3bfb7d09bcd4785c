import { Inject, Injectable } from '@nestjs/common';
import type { ToolRef, UsableTool } from '../../agents/tools/tool-definition.js';
import type { ToolResult } from '../../agents/tools/tool-result.js';
import { CARREL_CONFIG, type CarrelConfig } from '../../config/config.js';
import { plainCopy, whyNotPlainJson, type JsonObject, type JsonValue } from '../../shared/json.js';
import { resultOfStep } from '../step-result.js';
import type { PreparedTool, ToolCaller, ToolDoor } from '../tool-step.js';
import { approvalOf } from './tool-approval.js';
import { ToolCatalogue } from './tool-catalogue.service.js';
import { declined, failureOf, invalidArguments, invalidResult, timedOut, tooLarge } from './tool-failures.js';
import { invocationOf } from './tool-invocation.js';
import { packed, unpacked } from './tool-record.js';
import { ToolSchemas } from './tool-schemas.service.js';
import type { ToolInvocation } from './tool-source.port.js';
import { ToolSources } from './tool-sources.service.js';
import { callIdOf, ToolTelling } from './tool-telling.js';

/** What a path has no place for. */
const NOT_IN_A_NAME = /[/:\p{C}]/gu;
const MAX_NAME_CHARS = 64;
/** Deeper than anybody's results are, and shallow enough to be walked through. */
const MAX_RESULT_DEPTH = 64;

/** Calls tools, each as a durable step: the only way to them there is. */
@Injectable()
export class ToolCalls implements ToolDoor {
  constructor(
    private readonly catalogue: ToolCatalogue,
    private readonly sources: ToolSources,
    private readonly schemas: ToolSchemas,
    @Inject(CARREL_CONFIG) private readonly config: CarrelConfig,
  ) {}

  async list({ steps, agent }: ToolCaller): Promise<readonly UsableTool[]> {
    return (await this.catalogue.list(steps.context, agent)).tools;
  }

  async call(caller: ToolCaller, ref: ToolRef, args: unknown): Promise<ToolResult> {
    const name = `${ref.server}.${ref.tool}`.slice(0, MAX_NAME_CHARS).replaceAll(NOT_IN_A_NAME, '_');
    const end = caller.steps.tool({ name, prepare: (path) => this.prepare(caller, ref, args, path) });
    return unpacked(await resultOfStep(end));
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
      ...(tool.needsApproval && { approval: approvalOf(tool, args, this.config.limits.eventDataBytes) }),
      declined: (decision) => declined(tool, decision === 'expired'),
      timedOut: (limitMs) => timedOut(tool, limitMs),
      work: (call) =>
        this.carryOut(tool, args, invocationOf({ ...caller, call, callId, sampler: this.sources.sampler })),
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
      throw failureOf(tool, error);
    }
    const record = this.bounded(tool, result);
    const check = tool.outputSchema && !source.check ? this.schemas.checkOf(tool.outputSchema) : undefined;
    if (typeof check !== 'function') return record;
    const issues =
      result.structured === undefined
        ? [{ path: '', message: 'there is no structured result' }]
        : check(result.structured);
    if (issues.length > 0) throw invalidResult(tool, issues);
    return record;
  }

  private bounded(tool: UsableTool, result: ToolResult): JsonObject {
    const maxBytes = this.config.tools.resultBytes;
    const record = packed(result);
    const reason = whyNotPlainJson(record, 'result', {
      maxBytes: Number.POSITIVE_INFINITY,
      maxDepth: MAX_RESULT_DEPTH,
    });
    if (reason) throw invalidResult(tool, [{ path: '', message: reason }]);
    const text = JSON.stringify(record);
    const bytes = Buffer.byteLength(text);
    if (bytes > maxBytes) throw tooLarge(tool, bytes, maxBytes);
    return JSON.parse(text) as JsonObject;
  }
}
