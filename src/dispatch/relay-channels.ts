import type { Redis } from 'ioredis';
import type { Clock } from '../shared/clock.js';
import type { UserId } from '../shared/ids.js';

interface ChannelsEnds {
  heard(userId: UserId, text: string): void;
  /** Something may have been said that was not heard. */
  doubtful(userId: UserId): void;
}

/** Without Redis every followed user is in doubt so often. */
const AWAY_MS = 1_000;
/** With it, because a node that is cut off from Redis can not tell anybody what it has committed. */
const ROUND_MS = 30_000;
/** Channels in one command. */
const AT_ONCE = 1_000;

/** The channels of the users who are followed here, over one connection. A user is in doubt whenever it was not heard. */
export class RelayChannels {
  private readonly followed = new Set<UserId>();
  /** Whose channel is to be opened or closed. */
  private readonly changed = new Set<UserId>();
  private ends: ChannelsEnds | undefined;
  private hasStopped = false;
  /** A walk through all followed users, over many ticks. */
  private round: Iterator<UserId> | undefined;

  constructor(
    private readonly subscriber: Redis,
    private readonly prefix: string,
    private readonly clock: Clock,
  ) {
    subscriber.on('message', (channel: string, text: string) => this.message(channel, text));
    subscriber.on('ready', () => this.change(this.followed));
  }

  get size(): number {
    return this.followed.size;
  }

  nameOf(userId: UserId): string {
    return this.prefix + userId;
  }

  open(ends: ChannelsEnds): void {
    this.ends = ends;
    this.tick();
  }

  follow(userId: UserId): void {
    this.followed.add(userId);
    if (this.subscriber.status === 'ready') this.change([userId]);
    else this.ends?.doubtful(userId);
  }

  unfollow(userId: UserId): void {
    this.followed.delete(userId);
    if (this.subscriber.status === 'ready') this.change([userId]);
  }

  stop(): void {
    this.hasStopped = true;
  }

  private message(channel: string, text: string): void {
    if (!channel.startsWith(this.prefix)) return;
    const userId = channel.slice(this.prefix.length) as UserId;
    if (this.followed.has(userId)) this.ends?.heard(userId, text);
  }

  /** What changes in one tick goes to Redis at once. */
  private change(userIds: Iterable<UserId>): void {
    if (this.changed.size === 0) setImmediate(() => this.carryOut());
    for (const userId of userIds) this.changed.add(userId);
  }

  private carryOut(): void {
    const all = [...this.changed];
    this.changed.clear();
    const [opening, closing] = [all.filter((id) => this.followed.has(id)), all.filter((id) => !this.followed.has(id))];
    // when the connection breaks meanwhile, all channels are opened anew
    for (const some of chunksOf(closing)) this.subscriber.unsubscribe(...this.namesOf(some)).catch(() => undefined);
    for (const some of chunksOf(opening)) {
      const listening = this.subscriber.subscribe(...this.namesOf(some));
      listening.then(() => some.forEach((userId) => this.ends?.doubtful(userId))).catch(() => undefined);
    }
  }

  private namesOf(userIds: readonly UserId[]): string[] {
    return userIds.map((userId) => this.nameOf(userId));
  }

  private tick(): void {
    if (this.hasStopped) return;
    const isThere = this.subscriber.status === 'ready';
    const count = isThere ? Math.ceil((this.followed.size * AWAY_MS) / ROUND_MS) : this.followed.size;
    for (let i = 0; i < count; i++) {
      this.round ??= this.followed.values();
      const { value, done } = this.round.next();
      if (done) this.round = undefined;
      else this.ends?.doubtful(value);
    }
    this.clock.after(AWAY_MS, () => this.tick());
  }
}

function chunksOf(userIds: readonly UserId[]): UserId[][] {
  return Array.from({ length: Math.ceil(userIds.length / AT_ONCE) }, (_, i) =>
    userIds.slice(i * AT_ONCE, (i + 1) * AT_ONCE),
  );
}
