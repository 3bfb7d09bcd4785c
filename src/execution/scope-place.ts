import type { StepRecord } from '../events/step-record.js';

/** Where a scope is, and what it belongs to. */
export interface ScopePlace {
  /** `''` for the run itself, else the path of the step that it is inside of, and `/`. */
  readonly prefix: string;
  /** The steps that it is inside of, the outermost first, as they began. */
  readonly above: readonly StepRecord[];
  /** The attempt that it belongs to. */
  readonly life: ScopeLife;
}

export interface ScopeLife {
  /** True when the attempt is over: nothing is recorded through it any more. */
  isOver(): boolean;
  /** The agent has done something. */
  onProgress(): void;
}

/** Around the attempts of the run itself is nothing. */
export const WHOLE_RUN: ScopePlace = {
  prefix: '',
  above: [],
  life: { isOver: () => false, onProgress: () => undefined },
};

/** Where the steps inside of a step are. */
export function placeInside({ above, life }: ScopePlace, record: StepRecord): ScopePlace {
  return { prefix: `${record.path}/`, above: [...above, record], life };
}
