import type { Progress } from '@modelcontextprotocol/client';
import type { Clock } from '../../../shared/clock.js';
import type { ToolInvocation } from '../../tools/tool-source.port.js';

/** A server may tell of its progress as often as it likes; the user is told at most so often. */
const INTERVAL_MS = 100;
const MAX_MESSAGE_CHARS = 500;

/** Passes on the latest progress of one call; whatever came in between is left out. */
export class ProgressPump {
  private latest: Progress | undefined;
  private lastAtMs = -Infinity;
  private telling: Promise<void> | undefined;
  private cancelTimer: (() => void) | undefined;

  constructor(
    private readonly call: ToolInvocation,
    private readonly clock: Clock,
  ) {}

  push(progress: Progress): void {
    this.latest = progress;
    if (this.telling || this.cancelTimer) return;
    const waitMs = this.lastAtMs + INTERVAL_MS - this.clock.now();
    if (waitMs <= 0) void this.tell();
    else this.cancelTimer = this.clock.after(waitMs, () => void this.tell());
  }

  /** Tells what is left, when the call has ended. */
  async flush(): Promise<void> {
    await this.telling;
    await this.tell();
  }

  private async tell(): Promise<void> {
    this.cancelTimer?.();
    this.cancelTimer = undefined;
    const { latest } = this;
    if (!latest) return;
    this.latest = undefined;
    this.lastAtMs = this.clock.now();
    // a run that has ended meanwhile takes no progress any more
    this.telling = this.call
      .progress(shareOf(latest), latest.message?.slice(0, MAX_MESSAGE_CHARS))
      .catch(() => undefined);
    await this.telling;
    this.telling = undefined;
    if (this.latest) this.push(this.latest);
  }
}

/** 0 when the server does not say how much there is to do. */
function shareOf({ progress, total }: Progress): number {
  if (total === undefined || !(total > 0) || !Number.isFinite(progress)) return 0;
  return Math.min(Math.max(progress / total, 0), 1);
}
