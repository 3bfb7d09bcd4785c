import type { Ask } from '../agents/agent-run.js';
import type { ApprovalAnswer } from '../events/approval-record.js';
import type { StepEffect, StepRecord } from '../events/step-record.js';
import type { CarrelError } from '../shared/errors.js';
import type { JsonValue } from '../shared/json.js';
import type { RunSteps } from './run-steps.js';
import { endBefore } from './begin-step.js';
import { endStep, type StepWorkEnd } from './end-step.js';
import { performFunction } from './function-step.js';
import type { StepHost, StepInProgress } from './step-host.js';
import type { StepEnd } from './step-scope.js';
import type { BegunStep, StepSpec } from './step-spec.js';
import type { StepTelling } from './step-telling.js';
import { askStep } from './waiting-step.js';

/** A call of a tool, as the engine sees it. */
export interface ToolStep {
  /** Of the step: what may stand in a path. */
  readonly name: string;
  /**
   * Finds out what is to be called, and whether it may be. Not asked when the step's end is recorded.
   *
   * @throws CarrelError why nothing is called: that is the step's failure then, which nobody is told of as a call
   */
  prepare(path: string): Promise<PreparedTool>;
}

export interface PreparedTool {
  readonly effect: StepEffect;
  readonly timeoutMs: number;
  readonly telling: StepTelling;
  /** What its owner is asked before the call, inside the step. */
  readonly approval?: Ask;
  /** What the call is failed with when it is not approved. */
  declined(decision: ApprovalAnswer['decision']): CarrelError;
  timedOut(limitMs: number): CarrelError;
  /** @returns plain data within bounds, and nobody else's */
  work(call: ToolStepCall): Promise<JsonValue>;
}

/** What carries a tool call out. */
export interface ToolStepCall {
  readonly attempt: number;
  readonly idempotencyKey: string;
  readonly signal: AbortSignal;
  /** Where the call itself asks and has models answer; made when it is needed. */
  inside(): RunSteps;
}

/** What the step's scope does for it. */
interface ScopeWork {
  scopeInside(begun: BegunStep, signal: AbortSignal): RunSteps;
  carryOut(spec: StepSpec, work: (begun: BegunStep, step: StepInProgress) => Promise<StepWorkEnd>): Promise<StepEnd>;
}

/** Carries out a tool call, unless its end is recorded: looks for the tool, asks whoever must be asked, calls it. */
export async function callToolStep(
  host: StepHost,
  step: StepInProgress,
  path: string,
  { prepare }: ToolStep,
  scope: ScopeWork,
): Promise<StepEnd> {
  const end = await endBefore(host, step, { path, kind: 'tool' });
  if (end) return end;
  let tool: PreparedTool;
  try {
    tool = await prepare(path);
    await approve(host, step, path, tool);
  } catch (cause) {
    host.signal.throwIfAborted();
    return refused(host, path, cause);
  }
  const spec: StepSpec = { path, kind: 'tool', effect: tool.effect, telling: tool.telling };
  return scope.carryOut(spec, async (begun) => {
    step.isWatched = true;
    let inside: RunSteps | undefined;
    const { timeoutMs, timedOut } = tool;
    const limits = { timeoutMs, timedOut, isAtRest: () => inside?.atRest() ?? false };
    const done = await performFunction(host, begun, limits, (call) =>
      tool.work({
        ...call,
        inside: () => (step.inside = inside ??= scope.scopeInside(begun, call.signal)),
      }),
    );
    return done.outcome === 'ok' ? { ...done, value: done.value as JsonValue, isPlain: true } : done;
  });
}

/** The question stands inside a step that has not begun: all that is recorded of it is which step that is. */
async function approve(host: StepHost, step: StepInProgress, path: string, tool: PreparedTool): Promise<void> {
  if (!tool.approval) return;
  const { context, signal, parts, place } = host;
  const above = [...place.above, notBegun(path, parts.clock.now(), 0)];
  const inside = { context, signal, parts, place: { ...place, above } };
  const { decision } = await askStep(inside, step, `${path}/approval`, tool.approval);
  if (decision !== 'approved') throw tool.declined(decision);
}

function refused(host: StepHost, path: string, cause: unknown): Promise<StepEnd> {
  const record = notBegun(path, host.parts.clock.now(), 1);
  const begun: BegunStep = { path, kind: 'tool', effect: 'read', record };
  return endStep(host, begun, { outcome: 'failed', cause, attempts: record.attempts });
}

/** With no attempts it counts as no record but for its path. */
function notBegun(path: string, startedAtMs: number, attempts: number): StepRecord {
  return { path, kind: 'tool', effect: 'read', state: 'started', attempts, startedAtMs };
}
