import type { OpenStep } from './step-waits.js';

/** Who is told of a call's attempts. */
export interface CallObserver {
  /** An attempt begins. */
  onBegin(attempt: number): void;
  /** What is under way from now on. */
  onSteps(steps: OpenStep): void;
}
