import { isTerminalType, type RunEvent } from '../events/run-event.js';
import type { ResumeDto } from '../edge/decision.dto.js';
import type { RunView } from '../edge/run-view.js';
import type { HttpDoor } from './http-door.js';
import type { LiveEvents } from './live-events.js';

interface Stoppable {
  readonly signal?: AbortSignal;
}

/** One run of the caller: watched, awaited, cancelled. Holds nothing open by itself. */
export class RunHandle {
  constructor(
    readonly id: string,
    private readonly door: HttpDoor,
    private readonly live: LiveEvents,
  ) {}

  /** The run's events, from its first to its last, whenever they arose. */
  async *events(options: Stoppable = {}): AsyncGenerator<RunEvent, void, undefined> {
    for await (const event of this.live.ofRun(this.id, options)) {
      yield event;
      if (isTerminalType(event.type)) return;
    }
  }

  /** The run when it has ended, however: look at its `status`. */
  async result({ signal }: Stoppable = {}): Promise<RunView> {
    const now = await this.get({ signal });
    if (now.endedAt !== undefined) return now;
    for await (const _ of this.events({ signal }));
    return this.get({ signal });
  }

  /** The run as it is now. */
  get(options: Stoppable = {}): Promise<RunView> {
    return this.door.request('GET', this.path(), options);
  }

  /** @param wait answer when the work is down, instead of when it has been told */
  cancel({ wait, signal }: Stoppable & { wait?: boolean } = {}): Promise<RunView> {
    return this.door.request('POST', this.path('/cancel'), { query: { wait }, signal });
  }

  /** A new run that does the same. @param reuseSteps steps that have finished are not done again */
  async retry({ reuseSteps, signal }: Stoppable & { reuseSteps?: boolean } = {}): Promise<RunHandle> {
    const { id } = await this.door.request<RunView>('POST', this.path('/retry'), { body: { reuseSteps }, signal });
    return new RunHandle(id, this.door, this.live);
  }

  /** Answers what the run asks. @param approvalId which question, when there are several */
  resume(answer: ResumeDto, { signal }: Stoppable = {}): Promise<RunView> {
    return this.door.request('POST', this.path('/resume'), { body: answer, signal });
  }

  private path(more = ''): string {
    return `/v1/runs/${encodeURIComponent(this.id)}${more}`;
  }
}
