import type { EventJournal } from '../events/event-journal.port.js';
import type { JournalledEvent } from '../events/run-event.js';
import type { UserId } from '../shared/ids.js';
import type { AgentsSocket, SocketOutlet } from './socket-outlet.js';
import type { FeedMember, UserFeed } from './user-feed.js';

interface ReaderParts {
  userId: UserId;
  /** The name of the user's room. */
  room: string;
  socket: AgentsSocket;
  outlet: SocketOutlet;
  feed: UserFeed;
  journal: EventJournal;
  /** The journal failed; the reader has stopped. */
  failed(error: unknown): void;
}

/**
 * One socket's way through its user's events: from the journal, a page at a time and no faster than the client takes
 * them, until it has what the feed has; from then on it is in the user's room. A client that doesn't keep up there is taken
 * out and reads on from the journal, so it costs no more memory than one that does, and misses nothing.
 */
export class SocketReader implements FeedMember {
  /** The last event that was sent, while the socket is not in the room. */
  private cursor = 0;
  /** Raised whenever the position is set anew, which ends whatever was reading for the old one. */
  private turn = 0;
  private hasStopped = false;

  constructor(private readonly parts: ReaderParts) {}

  /** Sends everything after `after`; what retention has removed of it (up to `pruned`) is named by a `stream_gap`. */
  begin(after: number, pruned: number): void {
    if (this.hasStopped) return;
    this.leave();
    this.turn += 1;
    this.cursor = after;
    this.skipTo(pruned);
    void this.read(this.turn);
  }

  /** Sends nothing more. */
  stop(): void {
    this.hasStopped = true;
    this.turn += 1;
    this.leave();
  }

  delivered(event: JournalledEvent): void {
    if (this.parts.outlet.isFull) this.fallBack(event.seq);
  }

  fallBack(seq: number): void {
    this.leave();
    this.cursor = seq;
    void this.read(this.turn);
  }

  /** Each step looks at everything anew: while it waited, all of it may have changed. */
  private async read(turn: number): Promise<void> {
    const { feed, outlet, journal, userId } = this.parts;
    try {
      while (turn === this.turn) {
        feed.advanceTo(this.cursor);
        if (this.cursor === feed.last && !outlet.isFull) return this.join();
        if (!outlet.isClear) {
          await outlet.movement();
          continue;
        }
        const { items } = await journal.read(userId, { after: this.cursor, limit: outlet.pageSize });
        if (turn !== this.turn) return;
        if (items[0]?.seq === this.cursor + 1) this.send(items);
        else await this.findGap(turn);
      }
    } catch (error) {
      if (turn === this.turn) this.fail(error);
    }
  }

  /** In one tick with the look at the feed's position: whatever the feed gets next goes to the room. */
  private join(): void {
    void this.parts.socket.join(this.parts.room);
    this.parts.feed.join(this);
  }

  private leave(): void {
    this.parts.feed.leave(this);
    void this.parts.socket.leave(this.parts.room);
  }

  /** Stops when the client has enough for now. The rest of the page is read again then, rather than kept. */
  private send(items: readonly JournalledEvent[]): void {
    for (const event of items) {
      this.parts.outlet.send(event);
      this.cursor = event.seq;
      if (this.parts.outlet.isFull) return;
    }
  }

  /** What should come next was not there: either retention has removed it since, or the journal is broken. */
  private async findGap(turn: number): Promise<void> {
    const { pruned } = await this.parts.journal.bounds(this.parts.userId);
    if (turn !== this.turn) return;
    if (pruned <= this.cursor) throw new Error(`event ${this.cursor + 1} is missing from the journal`);
    this.skipTo(pruned);
  }

  private skipTo(pruned: number): void {
    if (pruned <= this.cursor) return;
    this.parts.socket.emit('stream_gap', { from: this.cursor + 1, to: pruned });
    this.cursor = pruned;
  }

  private fail(error: unknown): void {
    this.stop();
    this.parts.failed(error);
  }
}
