/** A node whose last beat is older than this is dead, by the clock of the database. */
export const NODE_DEAD_AFTER_SECONDS = 12;
