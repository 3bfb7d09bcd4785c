/** How often a step's work was begun and ended, by the agent's own record. */
export interface Count {
  begun: number;
  ended: number;
}

/** Once, as if nothing had happened. */
export const ONCE: Count = { begun: 1, ended: 1 };

/**
 * Where a run is held until the process is killed. `entered`: the step has begun, its work has not. `inside`: its work is under
 * way. `ended`: its work is done, and nothing of that is recorded.
 */
export const UNDER_WAY = ['entered', 'inside', 'ended'] as const;
export type UnderWay = (typeof UNDER_WAY)[number];

/** What a step's record must be that was killed at this point, and carried out `again` afterwards or not. */
export function countOf(point: UnderWay, again: boolean): Count {
  const more = again ? 1 : 0;
  return { begun: (point === 'entered' ? 0 : 1) + more, ended: (point === 'ended' ? 1 : 0) + more };
}

/** Without steps that nobody began. */
export function begun(counts: Record<string, Count>): Record<string, Count> {
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count.begun > 0));
}
