import { Inject, Injectable } from '@nestjs/common';
import { CARREL_CONFIG, type CarrelConfig } from '../config/config.js';
import { EventBus } from '../events/event-bus.js';
import { CarrelError } from '../shared/errors.js';
import type { UserId } from '../shared/ids.js';
import { UserFeed, type UserRoom } from './user-feed.js';

/** A socket's place among its user's; the feed lives as long as there is one. */
export interface FeedPlace {
  readonly feed: UserFeed;
  /** May be called more than once. */
  release(): void;
}

/** One feed per user with sockets on this node, and at most `maxSockets` places in it. */
@Injectable()
export class UserFeeds {
  private readonly feeds = new Map<UserId, { feed: UserFeed; places: number }>();

  constructor(
    private readonly bus: EventBus,
    @Inject(CARREL_CONFIG) private readonly config: CarrelConfig,
  ) {}

  /** How many places of a user's are taken. */
  placesOf(userId: UserId): number {
    return this.feeds.get(userId)?.places ?? 0;
  }

  /** @throws CarrelError `too_many_sockets` */
  take(userId: UserId, room: () => UserRoom): FeedPlace {
    const shared = this.feeds.get(userId) ?? { feed: new UserFeed(userId, this.bus, room()), places: 0 };
    const { maxSockets } = this.config.lane;
    if (shared.places >= maxSockets) {
      throw new CarrelError(
        'too_many_sockets',
        `you have ${maxSockets} sockets already, and may have no more: disconnect one`,
      );
    }
    shared.places += 1;
    this.feeds.set(userId, shared);
    let isTaken = true;
    const release = () => {
      if (!isTaken) return;
      isTaken = false;
      shared.places -= 1;
      if (shared.places > 0) return;
      shared.feed.close();
      this.feeds.delete(userId);
    };
    return { feed: shared.feed, release };
  }
}
