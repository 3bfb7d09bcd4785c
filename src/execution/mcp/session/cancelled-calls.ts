import type { Client, JSONRPCMessage, RequestId } from '@modelcontextprotocol/client';
import type { Clock } from '../../../shared/clock.js';

/** How long a server has to take notice of a cancellation. */
const GRACE_MS = 1_000;
/** Calls that are watched at once; of more, the oldest are believed to have stopped. */
const MAX_WATCHED = 64;

/**
 * Watches whether a server heeds the cancellation of a request. It is asked something else right after: one that does not
 * answer that in time, or goes on telling of the request's progress, does not stop. Of one that answers and is silent nobody
 * can know; it is believed.
 */
export class CancelledCalls {
  /** By the request's id, which is its progress token too: whether the server has had its time. */
  private readonly told = new Map<RequestId, boolean>();

  /** @param doesNotStop is told that there is no other way than to close the connection */
  constructor(
    private readonly client: Client,
    private readonly clock: Clock,
    private readonly doesNotStop: () => void,
  ) {}

  /** Looks at everything that is sent. */
  sent(message: JSONRPCMessage): void {
    if (!('method' in message) || message.method !== 'notifications/cancelled') return;
    const id = message.params?.requestId as RequestId;
    this.told.set(id, false);
    const [oldest] = this.told.keys();
    if (this.told.size > MAX_WATCHED && oldest !== undefined) this.told.delete(oldest);
    void this.watch(id);
  }

  /** Looks at everything that is received. */
  received(message: JSONRPCMessage): void {
    if (this.told.size === 0) return;
    if (!('method' in message)) {
      if (message.id !== undefined) this.told.delete(message.id); // it has ended, if late
    } else if (message.method === 'notifications/progress') {
      if (this.told.get(message.params?.progressToken as RequestId)) this.doesNotStop();
    }
  }

  private async watch(id: RequestId): Promise<void> {
    let hasAnswered = false;
    this.clock.after(GRACE_MS, () => {
      if (!hasAnswered) this.doesNotStop();
      else if (this.told.has(id)) this.told.set(id, true);
    });
    await Promise.resolve(); // the cancellation goes first
    await this.ask().catch(() => undefined); // an error is an answer too
    hasAnswered = true;
  }

  /** The cheapest question there is. */
  private async ask(): Promise<void> {
    const options = { timeout: 2 * GRACE_MS };
    await (this.client.getProtocolEra() === 'modern' ? this.client.discover(options) : this.client.ping(options));
  }
}
