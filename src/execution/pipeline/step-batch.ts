import { StopSwitch } from '../../context/stop-switch.js';
import type { StepEnd, StepScope } from '../step-scope.js';
import type { Places } from './places.js';
import type { PlanStep } from './pipeline-plan.js';
import type { StepLedger } from './step-ledger.js';

/** Where steps are carried out. */
export interface Surface {
  readonly scope: StepScope;
  readonly ledger: StepLedger;
  /** Of this pipeline and those around it, innermost first. */
  readonly places: readonly Places[];
}

/** A step's turn: what it needs beside its plan. */
export interface Turn extends Surface {
  /** Aborted when nothing of the batch is to go on. */
  readonly stop: StopSwitch;
  /** Why the step is not to begin any more, if so. Throws once the run is over, which is nobody's failure. */
  whyNot(): string | undefined;
  /** Tells the batch how the step has ended before its place is given back, so that nobody takes it in vain. */
  settle(end: StepEnd): void;
}

interface BatchRules {
  carryOut(step: PlanStep, turn: Turn): Promise<StepEnd>;
  /** Says why nothing else is to begin or go on after this end, if so. */
  haltsAfter(step: PlanStep, end: StepEnd): string | undefined;
  /** Steps under way at once. @default all */
  width?: Places;
}

/**
 * Steps that are carried out together, each as soon as those it depends on have ended. Everything that was begun has
 * settled before it ends, whichever way.
 */
export class StepBatch {
  readonly #ends = new Map<string, StepEnd>();
  readonly #stop = new StopSwitch();
  #halted: string | undefined;
  #stopped: { error: unknown } | undefined;

  constructor(
    private readonly steps: readonly PlanStep[],
    private readonly surface: Surface,
    private readonly rules: BatchRules,
  ) {}

  /** @throws what stopped the run, when something has: then not every step has ended */
  async carryOut(): Promise<ReadonlyMap<string, StepEnd>> {
    const settled = new Map(this.steps.map(({ name }) => [name, Promise.withResolvers<void>()]));
    await Promise.all(this.steps.map((step) => this.begin(step, settled)));
    if (this.#stopped) throw this.#stopped.error;
    return this.#ends;
  }

  /** Never rejects. */
  private async begin(step: PlanStep, settled: ReadonlyMap<string, PromiseWithResolvers<void>>): Promise<void> {
    for (const name of step.dependsOn) await settled.get(name)?.promise;
    const { width } = this.rules;
    await width?.take();
    try {
      const turn: Turn = {
        ...this.surface,
        stop: this.#stop,
        whyNot: () => this.whyNot(),
        settle: (end) => this.settle(step, end),
      };
      this.settle(step, await this.carryOutOrSkip(step, turn));
    } catch (error) {
      this.#stopped ??= { error };
    } finally {
      width?.giveBack();
      settled.get(step.name)?.resolve();
    }
  }

  private settle(step: PlanStep, end: StepEnd): void {
    if (this.#ends.has(step.name)) return;
    this.#ends.set(step.name, end);
    this.surface.ledger.ended(step.name, end);
    if (step.work.kind !== 'agent') this.recall(step.name, end);
    this.halt(this.rules.haltsAfter(step, end));
  }

  /** What a group did before the run was interrupted, it does not do again; and what it left half done stays so. */
  private recall(group: string, { outcome }: StepEnd): void {
    const { ledger, scope } = this.surface;
    const inside = ledger.inside(group);
    if (outcome !== 'ok' || !inside.hasBegun) inside.adopt(scope.inside?.(group) ?? []);
  }

  private carryOutOrSkip(step: PlanStep, turn: Turn): Promise<StepEnd> {
    const reason = this.whyNot();
    if (reason === undefined) return this.rules.carryOut(step, turn);
    return this.surface.scope.skip({ name: step.name, kind: step.work.kind }, reason);
  }

  private whyNot(): string | undefined {
    if (this.#stopped) throw this.#stopped.error;
    this.surface.scope.throwIfStopped();
    return this.#halted;
  }

  private halt(reason: string | undefined): void {
    if (reason === undefined || this.#halted !== undefined) return;
    this.#halted = reason;
    this.#stop.abort(new Error(reason));
  }
}
