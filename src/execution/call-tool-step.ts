import type { StepRecord } from '../events/step-record.js';
import { CarrelError } from '../shared/errors.js';
import type { JsonValue } from '../shared/json.js';
import { endBefore } from './begin-step.js';
import { endStep, type StepWorkEnd } from './end-step.js';
import { performFunction } from './function-step.js';
import type { StepHost, StepInProgress } from './step-host.js';
import type { StepEnd } from './step-scope.js';
import type { BegunStep, StepSpec } from './step-spec.js';
import type { OpenStep } from './step-waits.js';
import type { PreparedTool, StepsInTool, ToolStep } from './tool-step.js';
import { askStep } from './waiting-step.js';

type StepsInside = StepsInTool & OpenStep;

/** What the step's scope does for it. */
interface ScopeWork {
  scopeInside(begun: BegunStep, signal: AbortSignal): StepsInside;
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
  const { effect, telling } = tool;
  const spec: StepSpec = { path, kind: 'tool', effect, telling, isAhead: effect === 'read' };
  return scope.carryOut(spec, async (begun) => {
    step.isWatched = true;
    let inside: StepsInside | undefined;
    const { timeoutMs, timedOut } = tool;
    const limits = { timeoutMs, timedOut, isAtRest: () => inside?.atRest() ?? false };
    const done = await performFunction(host, begun, limits, (call) => {
      const assertOpen = () => {
        if (host.place.life.isOver()) throw new CarrelError('run_closed');
        call.signal.throwIfAborted();
      };
      return tool.work({
        ...call,
        progress: async (data) => {
          assertOpen();
          host.place.life.onProgress();
          await host.parts.emitter.emit('tool_progress', host.parts.attempt(), data, path);
        },
        inside: () => {
          assertOpen();
          return (step.inside = inside ??= scope.scopeInside(begun, call.signal));
        },
      });
    });
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
