/** How many of a user's runs wait for a place in the lane, by priority. Which ones they are is in the rows. */
export class WaitingLine {
  private readonly byPriority = new Map<number, number>();
  private total = 0;

  get size(): number {
    return this.total;
  }

  /** One more, or with -1 one less. */
  count(priority: number, by: 1 | -1): void {
    const left = (this.byPriority.get(priority) ?? 0) + by;
    if (left < 0) throw new Error(`the lane of a user counts ${left} waiting runs of priority ${priority}`);
    if (left === 0) this.byPriority.delete(priority);
    else this.byPriority.set(priority, left);
    this.total += by;
  }

  /** How many are admitted before one of this priority that comes now. */
  before(priority: number): number {
    let sum = 0;
    for (const [other, count] of this.byPriority) if (other >= priority) sum += count;
    return sum;
  }
}
