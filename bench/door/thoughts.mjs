/** How often the one step of a run says something before it ends. */
export const THOUGHTS = 4;
