import { Inject, Injectable } from '@nestjs/common';
import { EVENT_JOURNAL, type EventJournal } from '../events/event-journal.port.js';
import type { RunId, UserId } from '../shared/ids.js';
import { checkPosition } from './check-position.js';

/** Pages of a user's events, as the JSON text that goes out: the journal's own texts are put together, never parsed. */
@Injectable()
export class EventPages {
  constructor(@Inject(EVENT_JOURNAL) private readonly journal: EventJournal) {}

  /** @throws CarrelError `invalid_request` when `after` lies ahead of the newest event */
  async page(userId: UserId, query: { after: number; limit: number; runId?: RunId }): Promise<string> {
    const { items, next } = await this.journal.read(userId, query);
    if (items.length === 0) await this.checkCursor(userId, query.after);
    return `{"items":[${items.map(({ json }) => json).join(',')}],"next":${next}}`;
  }

  private async checkCursor(userId: UserId, after: number): Promise<void> {
    const { last } = await this.journal.bounds(userId);
    checkPosition(after, last);
  }
}
