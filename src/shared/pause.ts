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

/** True when `end` comes within that time; a rejection is passed on. */
export async function isOverWithin(limitMs: number, end: Promise<unknown>, clock: Clock): Promise<boolean> {
  const over = Promise.withResolvers<boolean>();
  const cancelTimer = clock.after(limitMs, () => over.resolve(false));
  try {
    return await Promise.race([end.then(() => true), over.promise]);
  } finally {
    cancelTimer();
  }
}
