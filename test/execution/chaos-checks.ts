import type { RunEvent } from '../../src/events/run-event.js';
import { isTerminalType } from '../../src/events/run-event.js';
import type { PipelineSpec, StepSpec } from '../../src/execution/pipeline/pipeline-spec.js';
import type { StepReport } from '../../src/execution/pipeline/pipeline-result.js';
import type { Doings } from './chaos-agents.js';

/** Says what in the story of one run contradicts itself: nothing, when all is well. */
export function storyFaults(events: readonly RunEvent[]): string[] {
  const faults: string[] = [];
  const ends = events.filter(({ type }) => isTerminalType(type));
  if (ends.length !== 1) faults.push(`${ends.length} terminal events`);
  if (events.length > 0 && !isTerminalType(events.at(-1)!.type)) faults.push(`${events.at(-1)!.type} comes last`);
  if (events.some(({ runSeq }, i) => runSeq !== i + 1)) faults.push('runSeq has a gap');
  return [...faults, ...nestingFaults(events), ...callFaults(events)];
}

/**
 * Paths are told of in order: a step begins inside an open one, what is told of it is told while it is open, it ends once,
 * and nothing is told of it or from inside of it afterwards, unless a step around it is tried again.
 */
function nestingFaults(events: readonly RunEvent[]): string[] {
  const faults: string[] = [];
  const open = new Set<string>();
  const ended = new Set<string>();
  const everOpen = new Set<string>();
  /** It has been at rest before, so that what must be done once may be told of again. */
  let hasRested = false;
  const drop = (paths: Set<string>, around: string) => {
    for (const path of paths) if (path.startsWith(`${around}/`)) paths.delete(path);
  };
  for (const event of events) {
    const path = event.step;
    const say = (what: string) => faults.push(`${event.runSeq} ${event.type} ${path ?? ''}: ${what}`);
    hasRested ||= event.type === 'agent_suspended' || event.type === 'approval_resolved';
    if (path === undefined) continue;
    const above = path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : undefined;
    // whether an interrupted step is to be done again is asked before it is
    const isAnswer = event.type === 'approval_resolved' || path.includes('/interrupted-');
    if (!isAnswer && above !== undefined && !open.has(above)) say(`${above} is not open`);
    if (!isAnswer && ended.has(path)) say('it has ended');
    if (event.type === 'step_started' || event.type === 'approval_required') {
      const mayBeAgain = hasRested && 'kind' in event.data && event.data.kind === 'agent';
      if (open.has(path) && !mayBeAgain) say('it is open already');
      open.add(path);
      everOpen.add(path);
    } else if (event.type === 'step_completed') {
      // a sleep of an attempt that was cut short goes on in the next one
      if (!everOpen.has(path) && event.data.outcome !== 'skipped') say('it was not begun');
      open.delete(path);
      drop(open, path);
      ended.add(path);
    } else if (event.type === 'approval_resolved') {
      open.delete(path);
    } else if (event.type === 'agent_retrying') {
      drop(open, path);
      drop(ended, path);
    } else if (!open.has(path)) {
      say('it is not open');
    }
  }
  return faults;
}

function callFaults(events: readonly RunEvent[]): string[] {
  const open = new Set<string>();
  for (const event of events) {
    if (event.type === 'tool_executing') open.add(event.data.callId);
    if (event.type === 'tool_completed' && !open.delete(event.data.callId))
      return ['a tool call ends that was not begun'];
  }
  return open.size > 0 ? [`${open.size} tool calls were left open`] : [];
}

/** The last end that was told of each step. */
function endsOf(events: readonly RunEvent[]): Map<string, { outcome: string; at: number }> {
  const ends = new Map<string, { outcome: string; at: number }>();
  for (const event of events) {
    if (event.type === 'step_completed') ends.set(event.data.step, { outcome: event.data.outcome, at: event.runSeq });
  }
  return ends;
}

/** Every step of the plan is accounted for, once: in the result, or, when the run has failed, in its events. */
export function accountFaults(spec: PipelineSpec, events: readonly RunEvent[]): string[] {
  const end = events.at(-1);
  const ends = endsOf(events);
  const faults: string[] = [];
  if (end?.type === 'agent_error' && end.data.error.code === 'pipeline_failed') {
    for (const { name } of spec.steps) if (!ends.has(name)) faults.push(`${name} has no end`);
  }
  if (end?.type !== 'agent_completed') return faults;
  const { steps } = end.data.result as unknown as { steps: StepReport[] };
  const listed = new Map(steps.map((step) => [step.step, step]));
  if (listed.size !== steps.length) faults.push('a step is listed twice');
  const top = steps.map(({ step }) => step).filter((step) => !step.includes('/'));
  if (top.join() !== spec.steps.map(({ name }) => name).join()) faults.push(`the steps are ${top.join()}`);
  for (const step of spec.steps) {
    for (const inner of insideOf(step)) if (!listed.has(inner)) faults.push(`${inner} is not listed`);
  }
  for (const [path, { outcome }] of ends) {
    const report = listed.get(path);
    if (/[:]|fallback/.test(path)) continue; // what agents do inside is theirs
    if (report && report.outcome !== outcome) faults.push(`${path} is listed as ${report.outcome} and was ${outcome}`);
    if (!report) faults.push(`${path} was ${outcome}, and is not listed`);
  }
  for (const { name, continueOnError } of spec.steps) {
    const outcome = listed.get(name)?.outcome;
    if (outcome === 'cancelled' || (outcome === 'failed' && !continueOnError)) {
      faults.push(`the run is ${end.data.status} although ${name} was ${outcome}`);
    }
  }
  return faults;
}

function insideOf(step: StepSpec): string[] {
  const names = (inner: readonly StepSpec[]) => inner.map(({ name }) => `${step.name}/${name}`);
  if ('parallel' in step) return names(step.parallel);
  if ('race' in step) return names(step.race);
  return 'pipeline' in step && typeof step.pipeline === 'object' ? names(step.pipeline.steps) : [];
}

/** What the agents themselves have seen. */
export function doingFaults(spec: PipelineSpec, doings: Doings, runId: string): string[] {
  const faults: string[] = [];
  const own = doings.executions.filter((execution) => execution.runId === runId);
  const within = (at: string, name: string) => at === name || at.startsWith(`${name}/`);
  const order = (earlier: string, later: string) => {
    for (const { at, begunAt } of own.filter((execution) => within(execution.at, later))) {
      const early = own.find((one) => within(one.at, earlier) && !((one.endedAt ?? Infinity) < begunAt));
      if (early) faults.push(`${at} began before ${early.at} had ended`);
    }
  };
  for (const step of spec.steps) {
    for (const dependency of step.dependsOn ?? []) order(dependency, step.name);
    if ('pipeline' in step) order(`${step.name}/x`, `${step.name}/y`);
    if ('loop' in step) order(`${step.name}/1`, `${step.name}/2`);
  }
  const most = doings.most.get(runId as never) ?? 0;
  if (most > (spec.concurrency ?? 8)) faults.push(`${most} agents were at work at once`);
  for (const [at, executions] of Map.groupBy(own, (execution) => execution.at)) {
    const returned = executions.findIndex(({ outcome }) => outcome === 'returned');
    if (returned !== -1 && returned !== executions.length - 1) faults.push(`${at} was done again after its end`);
    if (executions.some(({ outcome }) => outcome === undefined)) faults.push(`${at} is still at work`);
  }
  for (const [key, times] of doings.steps) {
    if (key.startsWith(runId) && times > 1) faults.push(`the step ${key} was done ${times} times`);
  }
  return [...faults, ...doings.lateWrites.map((key) => `${key} began a step after it was stopped`)];
}
