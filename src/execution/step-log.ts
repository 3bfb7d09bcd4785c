import type { CarrelConfig } from '../config/config.js';
import type { RunEmitter } from '../events/run-emitter.js';
import type { RunEventData } from '../events/run-event.js';
import type { StepRecord } from '../events/step-record.js';
import { CarrelError } from '../shared/errors.js';
import type { StepEvent } from './step-telling.js';
import { UsageCounter } from './usage-counter.js';

const NONE = new Map<string, never>();

/** What a log needs of its run. */
interface LoggedRun {
  readonly emitter: RunEmitter;
  readonly config: CarrelConfig;
  /** Number of the run's attempt, for its events. */
  attempt(): number;
}

/**
 * What is recorded of one run's steps, as the process that carries the run out knows it. A step is found by its key: its
 * path, of which a numbered step's last part counts by its number alone.
 */
export class StepLog {
  private records: Map<string, StepRecord> = NONE;
  /** Paths of the steps whose work is under way now. */
  private underWay: Set<string> | undefined;
  /** By key: what a failed step has thrown, in this process. */
  private thrown: Map<string, unknown> | undefined;
  /** Events that the emitter had taken with the last step that was written behind. */
  private behind = 0;
  /** What was used by steps that are open again. */
  private readonly usedBefore = new UsageCounter();

  constructor(
    recorded: readonly StepRecord[],
    private readonly run: LoggedRun,
  ) {
    for (const record of recorded) this.put(keyOf(record.path), record);
  }

  find(path: string): StepRecord | undefined {
    return this.records.get(keyOf(path));
  }

  /**
   * Records how a step ended, together with the event that tells of it, and waits for the disk only when it is far behind.
   * What is recorded later is never on disk before it.
   *
   * @throws CarrelError `too_many_steps`
   */
  writeBehind(record: StepRecord, { type, data }: StepEvent): Promise<void> {
    this.keep(record);
    const { emitter } = this.run;
    const room = emitter.emit(type, this.run.attempt(), data, record.path, [record]);
    this.behind = emitter.taken;
    return room;
  }

  /** Resolves when what was written behind is on disk. */
  caughtUp(): Promise<void> {
    return this.run.emitter.whenOnDisk(this.behind);
  }

  /**
   * Records a step, together with the event that tells of it; resolves when both are on disk.
   *
   * @param above steps that it is inside of, if they are not recorded yet: they must be found begun when the run goes on
   * @throws CarrelError `too_many_steps`
   */
  write(record: StepRecord, { type, data }: StepEvent, above: readonly StepRecord[] = []): Promise<void> {
    const records = [...above.filter(({ path }) => !this.find(path)), record];
    for (const one of records) this.keep(one);
    return this.run.emitter.record(type, this.run.attempt(), data, record.path, records);
  }

  /** What others have recorded meanwhile: answers to questions. */
  learn(records: readonly StepRecord[]): void {
    for (const record of records) {
      if (record.kind === 'ask' && record.state === 'ok') this.put(keyOf(record.path), record);
    }
  }

  /** The work of a step begins; the returned function says that it is over, whichever way. */
  enter(path: string): () => void {
    const underWay = (this.underWay ??= new Set());
    underWay.add(path);
    return () => void underWay.delete(path);
  }

  /** Steps that must be done once, were under way when an earlier attempt or process ended, and are not under way again. */
  interrupted(): string[] {
    return [...this.records.values()]
      .filter(({ path, state, effect }) => state === 'started' && effect === 'once' && !this.underWay?.has(path))
      .map(({ path }) => path);
  }

  private keep(record: StepRecord): void {
    const key = keyOf(record.path);
    const { runSteps } = this.run.config.limits;
    if (!this.records.has(key) && this.records.size >= runSteps) {
      throw new CarrelError('too_many_steps', `a run has at most ${runSteps} steps (CARREL_RUN_MAX_STEPS)`);
    }
    this.put(key, record);
  }

  /** What is recorded of the steps inside of one, with paths that begin there. */
  inside(path: string): StepRecord[] {
    const prefix = `${path}/`;
    return [...this.records.values()]
      .filter((record) => record.path.startsWith(prefix))
      .map((record) => ({ ...record, path: record.path.slice(prefix.length) }));
  }

  /** What a failed step has thrown, when it was in this process. */
  thrownBy(path: string): unknown {
    return this.thrown?.get(keyOf(path));
  }

  /** Adds what all steps say they used. */
  addUsageTo(counter: UsageCounter): void {
    if (this.usedBefore.total) counter.add(this.usedBefore.total);
    for (const { usage } of this.records.values()) if (usage) counter.add(usage);
  }

  /** Remembers what made a step fail. */
  failedWith(path: string, error: unknown): void {
    (this.thrown ??= new Map()).set(keyOf(path), error);
  }

  /**
   * Tells of another try after this error: the steps that have failed with it, or with what caused it, are open again, and
   * recorded so. A failure that the agent has dealt with stays recorded, so that it takes the same way once more.
   *
   * @param place what is tried again: the run, or the step of that path; in a group, what was not done because of the
   *   failure is open, too
   */
  retry(
    error: unknown,
    facts: RunEventData['agent_retrying'],
    { attempt, step, isGroup }: { attempt: number; step: string | undefined; isGroup?: boolean },
  ): Promise<void> {
    const reopened = [...this.reopen(error), ...(isGroup && step !== undefined ? this.reopenInside(step) : [])];
    return this.run.emitter.emit('agent_retrying', attempt, facts, step, reopened);
  }

  private reopen(error: unknown): StepRecord[] {
    const causes = causesOf(error);
    const reopened: StepRecord[] = [];
    for (const [key, thrown] of this.thrown ?? []) {
      if (!causes.has(thrown)) continue;
      this.thrown?.delete(key);
      const record = this.records.get(key);
      this.forget(key);
      if (record) reopened.push(openAgain(record));
    }
    return reopened;
  }

  /** Made with the first record: every run in flight has a log, and few have steps. */
  private put(key: string, record: StepRecord): void {
    if (this.records === NONE) this.records = new Map();
    this.records.set(key, record);
  }

  private forget(key: string): void {
    const usage = this.records.get(key)?.usage;
    if (usage) this.usedBefore.add(usage);
    this.records.delete(key);
  }

  /** What was skipped is open again; of what was cancelled and must be done once, nobody knows how much was done. */
  private reopenInside(group: string): StepRecord[] {
    const inside = [...this.records].filter(
      ([, { path, state }]) => path.startsWith(`${group}/`) && (state === 'skipped' || state === 'cancelled'),
    );
    return inside.map(([key, record]) => {
      if (record.state === 'skipped' || record.effect !== 'once') {
        this.forget(key);
        return openAgain(record);
      }
      const interrupted: StepRecord = { ...record, state: 'started' };
      this.put(key, interrupted);
      return interrupted;
    });
  }
}

/** A record that counts as none: another than the last one of a path can't be taken back. */
function openAgain({ path, kind, startedAtMs }: StepRecord): StepRecord {
  return { path, kind, effect: 'read', state: 'started', attempts: 0, startedAtMs };
}

/** `review/2:charge` → `review/2`: what a numbered step is called does not say where it is. */
function keyOf(path: string): string {
  const last = path.lastIndexOf('/') + 1;
  const colon = path.indexOf(':', last);
  return colon === -1 ? path : path.slice(0, colon);
}

const MAX_CAUSES = 100;

function causesOf(error: unknown): Set<unknown> {
  const causes = new Set<unknown>();
  const open = [error];
  while (open.length > 0 && causes.size < MAX_CAUSES) {
    const one = open.pop();
    if (causes.has(one)) continue;
    causes.add(one);
    if (one instanceof Error && one.cause !== undefined) open.push(one.cause);
    if (one instanceof AggregateError) open.push(...(one.errors as unknown[]));
  }
  return causes;
}
