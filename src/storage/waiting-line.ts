import type { RunId } from '../shared/ids.js';

/** A user's runs that wait for a place in the lane: those of the highest priority first, and of them the oldest. */
export class WaitingLine {
  /** Each with its runs in the order of their ids; none is empty. */
  private readonly byPriority = new Map<number, RunId[]>();
  private total = 0;

  get size(): number {
    return this.total;
  }

  /** The run that is admitted next. */
  get first(): RunId | undefined {
    if (this.total === 0) return undefined;
    return this.byPriority.get(Math.max(...this.byPriority.keys()))?.[0];
  }

  add({ id, priority }: { id: RunId; priority: number }): void {
    const line = this.byPriority.get(priority);
    if (line) line.splice(placeOf(line, id), 0, id);
    else this.byPriority.set(priority, [id]);
    this.total += 1;
  }

  remove({ id, priority }: { id: RunId; priority: number }): void {
    const line = this.byPriority.get(priority) ?? [];
    const place = placeOf(line, id);
    if (line[place] !== id) throw new Error(`${id} is not in the line of its user`);
    line.splice(place, 1);
    if (line.length === 0) this.byPriority.delete(priority);
    this.total -= 1;
  }

  /** How many are admitted before one of this priority that comes now. */
  before(priority: number): number {
    let sum = 0;
    for (const [other, line] of this.byPriority) if (other >= priority) sum += line.length;
    return sum;
  }
}

/** Where an id is in a sorted line, or would be. Nearly all of them come to the end, and leave from the front. */
function placeOf(line: readonly RunId[], id: RunId): number {
  if (line.length === 0 || line.at(-1)! < id) return line.length;
  let [from, to] = [0, line.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if (line[middle]! < id) from = middle + 1;
    else to = middle;
  }
  return from;
}
