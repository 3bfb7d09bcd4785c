import { Injectable } from '@nestjs/common';
import type { UserId } from '../shared/ids.js';
import { AgentsGateway } from './agents.gateway.js';
import { EventStreams } from './event-streams.service.js';
import { roomOf } from './socket-admission.service.js';
import type { SocketCensus } from './socket-census.js';
import { UserFeeds } from './user-feeds.service.js';

/** A user's connections to this process. */
export interface Connections extends SocketCensus {
  /** The name of the user's room. */
  readonly room: string;
  /** How many sockets have taken a place in the user's feed. */
  readonly places: number;
  /** Open streams of server-sent events, and those of them that read somebody else's events. */
  readonly streams: number;
  readonly foreignStreams: number;
}

/** Who is connected to this process, counted where each kind of connection is kept. */
@Injectable()
export class ConnectionsOf {
  constructor(
    private readonly gateway: AgentsGateway,
    private readonly feeds: UserFeeds,
    private readonly streams: EventStreams,
  ) {}

  user(userId: UserId): Connections {
    const { open, foreign } = this.streams.of(userId);
    return {
      ...this.gateway.censusOf(userId),
      room: roomOf(userId),
      places: this.feeds.placesOf(userId),
      streams: open,
      foreignStreams: foreign,
    };
  }

  everybody(): { sockets: number; streams: number } {
    return { sockets: this.gateway.socketCount, streams: this.streams.count };
  }
}
