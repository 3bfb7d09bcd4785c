import { Logger } from '@nestjs/common';
import type { Redis } from 'ioredis';
import type { EventRelay, RelayReceiver } from '../events/event-relay.port.js';
import type { JournalledEvent } from '../events/run-event.js';
import type { Clock } from '../shared/clock.js';
import { newId, type UserId } from '../shared/ids.js';
import type { RedisConnections } from './redis-connections.js';
import { RelayChannels } from './relay-channels.js';
import { decodeRelayMessage, encodeRelayMessage } from './relay-message.js';
import type { RelayMeter } from './relay-meter.js';

/** Messages that are on their way to Redis, at most: more are not sent, but left to the journal. */
const MAX_IN_FLIGHT = 10_000;
/** Users whose other nodes are still to be told how far the journal has come, at most. */
const MAX_UNSENT = 10_000;

/**
 * Relays events through Redis, with one channel for each user. What can't be sent is not kept: when Redis is back, the others
 * are told how far the journal has come, and look there.
 */
export class RedisEventRelay implements EventRelay {
  private readonly logger = new Logger('EventRelay');
  /** Of this process: it hears what it has sent itself. */
  private readonly ownId = newId('nod');
  private receiver: RelayReceiver | undefined;
  private inFlight = 0;
  private readonly unsent = new Map<UserId, number>();

  private constructor(
    private readonly sender: Redis,
    private readonly channels: RelayChannels,
    private readonly meter: RelayMeter,
    private readonly clock: Clock,
  ) {}

  static async create(connections: RedisConnections, meter: RelayMeter, clock: Clock): Promise<RedisEventRelay> {
    const { sender, subscriber } = await connections.talk();
    const channels = new RelayChannels(subscriber, `${connections.prefix}:events:`, clock);
    const relay = new RedisEventRelay(sender, channels, meter, clock);
    meter.watch({ followed: () => channels.size, unsent: () => relay.unsent.size });
    sender.on('ready', () => relay.sendUnsent());
    connections.beforeClose(async () => {
      channels.stop();
      await sender.ping().catch(() => undefined); // what was sent before it has arrived then
    });
    return relay;
  }

  open(receiver: RelayReceiver): void {
    this.receiver = receiver;
    this.channels.open({
      heard: (userId, text) => this.heard(userId, text),
      doubtful: (userId) => receiver.doubtful(userId),
    });
  }

  publish(events: readonly JournalledEvent[]): void {
    const byUser = new Map<UserId, JournalledEvent[]>();
    for (const event of events) {
      const own = byUser.get(event.userId);
      if (own) own.push(event);
      else byUser.set(event.userId, [event]);
    }
    for (const [userId, own] of byUser) this.send(userId, own.at(-1)!.seq, own);
  }

  follow(userId: UserId): void {
    this.channels.follow(userId);
  }

  unfollow(userId: UserId): void {
    this.channels.unfollow(userId);
  }

  private send(userId: UserId, head: number, events: readonly JournalledEvent[]): void {
    if (this.sender.status !== 'ready' || this.inFlight >= MAX_IN_FLIGHT) return this.keep(userId, head);
    const text = encodeRelayMessage({ from: this.ownId, sentAtMs: this.clock.now(), head, events });
    this.inFlight += 1;
    this.sender.publish(this.channels.nameOf(userId), text).then(
      () => {
        this.meter.sent(events.length);
        this.settled();
      },
      () => {
        this.keep(userId, head);
        this.settled();
      },
    );
  }

  private settled(): void {
    this.inFlight -= 1;
    if (this.inFlight === 0 && this.unsent.size > 0 && this.sender.status === 'ready') this.sendUnsent();
  }

  /** Beyond the limit nobody is told: the others look into the journal every now and then anyway. */
  private keep(userId: UserId, head: number): void {
    const known = this.unsent.get(userId);
    if (known === undefined && this.unsent.size >= MAX_UNSENT) return;
    this.unsent.set(userId, Math.max(known ?? 0, head));
  }

  private sendUnsent(): void {
    const all = [...this.unsent];
    this.unsent.clear();
    for (const [userId, head] of all) this.send(userId, head, []);
  }

  private heard(userId: UserId, text: string): void {
    const message = decodeRelayMessage(userId, text);
    if (!message) {
      this.logger.warn({ userId }, 'something that is no message of Carrel came over a channel of events');
      return;
    }
    const { from, sentAtMs, head, events } = message;
    // by one clock, whatever those of other nodes say
    if (from === this.ownId) this.meter.lag(this.clock.now() - sentAtMs);
    else if (events.length > 0) this.receiver?.arrived(userId, events);
    else this.receiver?.committed(userId, head);
  }
}
