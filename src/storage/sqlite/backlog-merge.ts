import type { OpenedRun, PendingEvents, PendingRun, PendingUser, StepColumns } from './backlog-rows.js';

/** A row of `events` grows no longer by what follows: whoever reads one event reads all of its row. */
const MAX_ROW_CHARACTERS = 16 * 1_024;

export function addOpened(user: PendingUser, run: PendingRun, opened: OpenedRun): void {
  run.opened = opened;
  if (opened.thread) user.threads.set(opened.thread.id, opened.thread);
}

export function addEvents({ events }: PendingRun, more: PendingEvents): void {
  const last = events.at(-1);
  if (last && follows(last, more) && last.lines.length < MAX_ROW_CHARACTERS)
    events[events.length - 1] = joined(last, more);
  else events.push(more);
}

/** A step is found by its path; its place in its run is the one it had first. */
export function addStep(run: PendingRun, step: StepColumns): void {
  const steps = (run.steps ??= new Map());
  const [path, firstSeq, nth, ...rest] = step;
  const [, knownSeq = firstSeq, knownNth = nth] = steps.get(path) ?? [];
  steps.set(path, [path, knownSeq, knownNth, ...rest]);
}

export function follows(before: PendingEvents, after: PendingEvents): boolean {
  return before.lastSeq + after.count === after.lastSeq;
}

export function joined(before: PendingEvents, after: PendingEvents): PendingEvents {
  return { ...after, lines: `${before.lines}\n${after.lines}`, count: before.count + after.count };
}
