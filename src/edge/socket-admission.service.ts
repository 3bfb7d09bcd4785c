import { Inject, Injectable } from '@nestjs/common';
import { EVENT_JOURNAL, type EventJournal } from '../events/event-journal.port.js';
import { Readiness } from '../execution/readiness.js';
import { CarrelError } from '../shared/errors.js';
import type { UserId } from '../shared/ids.js';
import { checkPosition } from './check-position.js';
import type { Identity } from './identity.js';
import { LiveRoom } from './live-room.js';
import type { AgentsSocket } from './socket-outlet.js';
import { TokenVerifier } from './token-verifier.service.js';
import { UserFeeds, type FeedPlace } from './user-feeds.service.js';
import { HANDSHAKE_AUTH, parsePayload } from './wire-messages.js';

/** What a handshake has established. */
export interface Admission {
  readonly identity: Identity;
  readonly place: FeedPlace;
  /** Where the socket's stream begins. */
  readonly after: number;
  /** As of the handshake: the newest event, and the newest that retention has removed. */
  readonly last: number;
  readonly pruned: number;
}

/** The room that a user's sockets are in while they are live. */
export function roomOf(userId: UserId): `user:${string}` {
  return `user:${userId}`;
}

/** Decides at the handshake who a socket belongs to, and whether it may come in. */
@Injectable()
export class SocketAdmission {
  private readonly admitted = new WeakMap<AgentsSocket, Admission>();
  /** Connections that have a socket here, or are about to: each may have one. */
  private readonly connections = new WeakSet<AgentsSocket['conn']>();
  private readonly byUser = new Map<UserId, Set<AgentsSocket>>();

  constructor(
    private readonly verifier: TokenVerifier,
    private readonly feeds: UserFeeds,
    private readonly readiness: Readiness,
    @Inject(EVENT_JOURNAL) private readonly journal: EventJournal,
  ) {}

  /**
   * Identifies the socket by `auth.token`, and by nothing else, and takes one of its user's places, which it gives back
   * when the socket or its connection ends.
   *
   * @throws CarrelError `unauthenticated` | `token_expired` | `keys_unavailable` | `invalid_request` | `too_many_sockets` |
   *   `draining`
   */
  async admit(socket: AgentsSocket): Promise<void> {
    if (this.readiness.state === 'draining') throw new CarrelError('draining', undefined, { retryAfterMs: 1_000 });
    const { auth } = socket.handshake;
    if (typeof auth['token'] !== 'string') throw new CarrelError('unauthenticated', 'send a token as `auth.token`');
    const identity = await this.verifier.verify(auth['token']);
    const { after } = parsePayload(HANDSHAKE_AUTH, auth, 'auth');
    const place = this.takePlace(socket, identity.userId);
    try {
      const { last, pruned } = await this.journal.bounds(identity.userId);
      checkPosition(after ?? 0, last);
      // The feed has been listening since before this look at the journal, so that nothing can be between the two.
      place.feed.advanceTo(last);
      this.admitted.set(socket, { identity, place, after: after ?? last, last, pruned });
    } catch (error) {
      place.release();
      throw error;
    }
  }

  /** What `admit` has established. */
  of(socket: AgentsSocket): Admission {
    const admission = this.admitted.get(socket);
    if (!admission) throw new CarrelError('unauthenticated');
    return admission;
  }

  /** Who has a socket here. */
  users(): Iterable<UserId> {
    return this.byUser.keys();
  }

  /** Sockets that have a place of this user's. */
  socketsOf(userId: UserId): ReadonlySet<AgentsSocket> {
    return this.byUser.get(userId) ?? new Set();
  }

  /** Whom a socket was let in for. */
  ownerOf(socket: AgentsSocket): UserId | undefined {
    return this.admitted.get(socket)?.identity.userId;
  }

  private takePlace(socket: AgentsSocket, userId: UserId): FeedPlace {
    const { conn, nsp } = socket;
    if (conn.readyState !== 'open') throw new CarrelError('invalid_request', 'the connection has gone');
    if (this.connections.has(conn)) throw new CarrelError('invalid_request', 'the connection is in /agents already');
    const place = this.feeds.take(userId, () => new LiveRoom(nsp, roomOf(userId)));
    this.connections.add(conn);
    const own = this.byUser.get(userId) ?? new Set();
    this.byUser.set(userId, own.add(socket));
    const release = () => {
      conn.off('close', release);
      this.connections.delete(conn);
      own.delete(socket);
      if (own.size === 0 && this.byUser.get(userId) === own) this.byUser.delete(userId);
      place.release();
    };
    // A connection that goes before the handshake is over leaves no other trace.
    conn.on('close', release);
    socket.once('disconnect', release);
    return { feed: place.feed, release };
  }
}
