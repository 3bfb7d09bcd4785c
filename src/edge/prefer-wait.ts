/** Longer than this nobody should hold a connection for a result: there are streams. */
export const MAX_WAIT_SECONDS = 60;

/**
 * How long a caller prefers to wait for the result (RFC 7240, `Prefer: wait=10`), at most `MAX_WAIT_SECONDS`; 0 without
 * such a preference. What is malformed is ignored, as the standard asks.
 */
export function preferredWaitSeconds(header: string | string[] | undefined): number {
  const preferences = [header ?? []].flat().join(',').split(',');
  for (const preference of preferences) {
    const seconds = /^\s*wait\s*=\s*"?(\d{1,9})"?\s*(;.*)?$/i.exec(preference)?.[1];
    if (seconds !== undefined) return Math.min(Number(seconds), MAX_WAIT_SECONDS);
  }
  return 0;
}
