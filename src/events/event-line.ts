import type { Clock } from '../shared/clock.js';
import type { JournalledEvent } from './run-event.js';

/** How long an event waits for those before it, which another node has committed and which are on their way. */
const PATIENCE_MS = 25;
/** Events that wait at most. */
const MAX_HELD = 256;

export interface LineEnds {
  /** Is given each event once, in the order of `seq`. */
  pass(event: JournalledEvent): void;
  /** What there is up to `seq` and was not passed is only in the journal. */
  behind(seq: number): void;
}

/** One user's events as they come from this node and the others, put in order. What stays away is left to the journal. */
export class EventLine {
  /** Up to here everything was passed, or left to the journal; undefined before the first is known. */
  private head: number | undefined;
  /** Whether somebody has looked into the journal since the line began: before, anything may have been missed. */
  private isSure = false;
  private readonly held = new Map<number, JournalledEvent>();
  private cancelPatience: (() => void) | undefined;

  constructor(
    private readonly ends: LineEnds,
    private readonly clock: Clock,
  ) {}

  take(event: JournalledEvent): void {
    const { head } = this;
    if (head !== undefined && event.seq <= head) return;
    if (head === undefined || event.seq === head + 1) {
      this.pass(event);
      this.passHeld();
    } else if (this.held.size < MAX_HELD) {
      this.held.set(event.seq, event);
      this.cancelPatience ??= this.clock.after(PATIENCE_MS, () => this.giveUp());
    } else {
      this.held.set(event.seq, event);
      this.giveUp();
    }
  }

  /** The journal has everything up to `seq`. */
  journalHas(seq: number): void {
    const { head = 0 } = this;
    if (this.isSure && seq <= head) return;
    this.isSure = true;
    this.head = Math.max(seq, head);
    for (const own of this.held.keys()) if (own <= seq) this.held.delete(own);
    this.ends.behind(seq);
    this.passHeld();
  }

  close(): void {
    this.held.clear();
    this.rest();
  }

  private pass(event: JournalledEvent): void {
    this.head = event.seq;
    this.ends.pass(event);
  }

  private passHeld(): void {
    for (let next = this.nextHeld(); next; next = this.nextHeld()) {
      this.held.delete(next.seq);
      this.pass(next);
    }
    if (this.held.size === 0) this.rest();
  }

  private nextHeld(): JournalledEvent | undefined {
    return this.head === undefined ? undefined : this.held.get(this.head + 1);
  }

  /** Numbers are given in the order of the commits: what comes before a committed event is committed. */
  private giveUp(): void {
    this.rest();
    if (this.held.size > 0) this.journalHas(Math.max(...this.held.keys()));
  }

  private rest(): void {
    this.cancelPatience?.();
    this.cancelPatience = undefined;
  }
}
