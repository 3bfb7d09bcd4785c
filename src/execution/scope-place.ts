import type { StepRecord } from '../events/step-record.js';

/** Where a scope is, and what it belongs to. */
export interface ScopePlace {
  /** `''` for the run itself, else the path of the step that it is inside of, and `/`. */
  readonly prefix: string;
  /** The steps that it is inside of, the outermost first, as they began. */
  readonly above: readonly StepRecord[];
  /** True when the attempt that it belongs to is over: nothing is recorded through it any more. */
  isOver(): boolean;
  /** The agent has done something. */
  onProgress(): void;
}

/** Where the steps inside of a step are. */
export function placeInside({ isOver, onProgress, above }: ScopePlace, record: StepRecord): ScopePlace {
  return { prefix: `${record.path}/`, above: [...above, record], isOver, onProgress };
}
