import type { CarrelConfig, NodeRole } from './config.js';

/** What this process does; one that is alone does everything. */
export function roleOf({ profile }: Pick<CarrelConfig, 'profile'>): NodeRole {
  return profile.kind === 'distributed' ? profile.role : 'all';
}
