import type { Clock } from './clock.js';

/** Resolves after a while, or as soon as `signal` is aborted. */
export async function pause(ms: number, clock: Clock, signal: AbortSignal): Promise<void> {
  if (ms <= 0 || signal.aborted) return;
  const over = Promise.withResolvers<void>();
  const end = () => over.resolve();
  const cancelTimer = clock.after(ms, end);
  signal.addEventListener('abort', end, { once: true });
  await over.promise;
  cancelTimer();
  signal.removeEventListener('abort', end);
}
