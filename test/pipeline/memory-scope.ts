import type { UserExecutionContext } from '../../src/context/user-execution-context.js';
import type { StepRecord } from '../../src/events/step-record.js';
import type { RunError } from '../../src/events/run-error.js';
import type { AgentStep, GroupStep, ScopedStep, StepEnd, StepScope } from '../../src/execution/step-scope.js';
import { isCarrelError } from '../../src/shared/errors.js';
import type { SupportCode } from '../../src/shared/ids.js';
import type { JsonValue } from '../../src/shared/json.js';
import { contextOf } from '../agents/recording-run.js';

/** What an agent does in a test. Rejects with the signal's reason when that is aborted. */
export type Work = (step: AgentStep & { path: string; signal: AbortSignal }) => Promise<JsonValue | undefined>;

/** What a run has recorded: it outlives the scopes. */
export class Records {
  readonly ended = new Map<string, StepEnd & { kind: string }>();
  /** Paths of agents' steps in the order of their begin, over all scopes. */
  readonly begun: string[] = [];
  /** Paths of steps that ended, in that order. */
  readonly order: string[] = [];
}

class Stopped extends Error {}

/**
 * A run's scope in memory, strict both ways: a path that is used twice, a name that is none, and a step that is carried
 * out after the end of its scope are mistakes, which `faults` has.
 */
export class MemoryScope implements StepScope {
  readonly context: UserExecutionContext;
  readonly faults: string[];
  readonly #used = new Set<string>();
  #isOver = false;

  private constructor(
    private readonly run: MemoryRun,
    private readonly prefix: string,
    readonly signal: AbortSignal,
    depth: readonly string[],
  ) {
    this.faults = run.faults;
    this.context = depth.reduce((context, name) => context.child(name), run.context);
    this.depth = depth;
  }

  private readonly depth: readonly string[];

  throwIfStopped(): void {
    this.signal.throwIfAborted();
  }

  static ofRun(run: MemoryRun): MemoryScope {
    return new MemoryScope(run, '', run.signal, []);
  }

  group(step: GroupStep, work: (scope: StepScope) => Promise<JsonValue | undefined>): Promise<StepEnd> {
    return this.carryOut(step, step.kind, async (path, signal) => {
      const inside = new MemoryScope(this.run, `${path}/`, signal, [...this.depth, step.name]);
      try {
        return await work(inside);
      } finally {
        inside.#isOver = true;
      }
    });
  }

  agent(step: AgentStep): Promise<StepEnd> {
    this.context.child(step.name); // throws when it would be too deep
    return this.carryOut(step, 'agent', async (path, signal) => {
      const { run } = this;
      run.records.begun.push(path);
      run.mostAtWork = Math.max(run.mostAtWork, ++run.atWork);
      run.atWorkIn(path, 1);
      try {
        return await run.work({ ...step, path, signal });
      } finally {
        run.atWork--;
        run.atWorkIn(path, -1);
      }
    });
  }

  async skip({ name, kind }: { name: string; kind: string }, reason: string): Promise<StepEnd> {
    const path = this.take(name);
    this.signal.throwIfAborted();
    const known = this.run.records.ended.get(path);
    if (known) return known;
    return this.end(path, kind, { outcome: 'skipped', reason, attempts: 0, durationMs: 0 });
  }

  inside(name: string): readonly StepRecord[] {
    const prefix = `${this.prefix}${name}/`;
    return [...this.run.records.ended]
      .filter(([path]) => path.startsWith(prefix))
      .map(([path, end]) => ({
        path: path.slice(prefix.length),
        kind: end.kind as StepRecord['kind'],
        effect: 'idempotent',
        state: end.outcome,
        attempts: end.attempts,
        startedAtMs: 0,
        endedAtMs: end.durationMs,
        ...(end.outcome === 'ok' && { result: end.result }),
        ...(end.outcome === 'failed' && { error: end.error }),
        ...((end.outcome === 'skipped' || end.outcome === 'cancelled') && { reason: end.reason }),
      }));
  }

  private async carryOut(
    step: ScopedStep,
    kind: string,
    work: (path: string, signal: AbortSignal) => Promise<JsonValue | undefined>,
  ): Promise<StepEnd> {
    const path = this.take(step.name);
    const known = this.run.records.ended.get(path);
    if (known) return known;
    if (this.signal.aborted) throw this.signal.reason;
    const signal = AbortSignal.any([this.signal, ...(step.stop ? [step.stop.signal] : [])]);
    const facts = { attempts: 1, durationMs: 1 };
    let end: StepEnd;
    try {
      signal.throwIfAborted();
      const result = await work(path, signal);
      end = { ...facts, outcome: 'ok', result: result === undefined ? undefined : structuredClone(result) };
    } catch (cause) {
      end = { ...facts, outcome: 'failed', error: errorOf(cause), cause };
    }
    // an end that comes after the stop is none
    if (this.signal.aborted) throw this.signal.reason;
    if (step.stop?.aborted && end.outcome === 'failed') {
      end = { ...facts, outcome: 'cancelled', reason: (step.stop.reason as Error).message };
    }
    return this.end(path, kind, end);
  }

  private take(name: string): string {
    const path = `${this.prefix}${name}`;
    if (this.#isOver) this.faults.push(`${path} came after the end of its scope`);
    if (this.#used.has(name)) this.faults.push(`${path} came twice`);
    if (!/^[A-Za-z0-9][\w-]*$/.test(name)) this.faults.push(`${path} is no path`);
    this.#used.add(name);
    return path;
  }

  private end(path: string, kind: string, end: StepEnd): StepEnd {
    if (this.run.records.ended.has(path)) this.faults.push(`${path} ended twice`);
    this.run.records.ended.set(path, { ...end, kind });
    this.run.records.order.push(path);
    this.run.ended(path);
    return end;
  }
}

/** One time that a run is under way, in a process as it were; the records may be an earlier one's. */
export class MemoryRun {
  readonly context: UserExecutionContext;
  readonly faults: string[] = [];
  atWork = 0;
  mostAtWork = 0;
  readonly mostAtWorkIn = new Map<string, number>();
  readonly #atWorkIn = new Map<string, number>();
  readonly #controller = new AbortController();

  constructor(
    readonly work: Work,
    readonly records = new Records(),
    /** Called after each end of a step, e.g. to stop the run at exactly that point. */
    readonly ended: (path: string) => void = () => undefined,
    user = 'alice',
  ) {
    this.context = contextOf(user, this.signal);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get scope(): MemoryScope {
    return MemoryScope.ofRun(this);
  }

  /** The run is cancelled, suspended or its process ends: no step ends any more. */
  stop(why = 'the run was stopped'): void {
    this.#controller.abort(new Stopped(why));
  }

  atWorkIn(path: string, change: number): void {
    const group = path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : '';
    const now = (this.#atWorkIn.get(group) ?? 0) + change;
    this.#atWorkIn.set(group, now);
    this.mostAtWorkIn.set(group, Math.max(this.mostAtWorkIn.get(group) ?? 0, now));
  }
}

function errorOf(cause: unknown): RunError {
  return {
    code: isCarrelError(cause) ? cause.code : 'agent_failed',
    message: cause instanceof Error ? cause.message : String(cause),
    supportCode: 'sup_1' as SupportCode,
    retryable: false,
  };
}
