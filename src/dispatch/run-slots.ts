/** How many runs may be under way here, and who waits until one more may. */
export class RunSlots {
  private taken = 0;
  private waiter: PromiseWithResolvers<void> | undefined;

  constructor(private readonly total: number) {}

  get free(): number {
    return this.total - this.taken;
  }

  tryTake(): boolean {
    if (this.free <= 0) return false;
    this.taken += 1;
    return true;
  }

  give(): void {
    this.taken -= 1;
    this.wake();
  }

  /** Whoever waits tries again. */
  wake(): void {
    this.waiter?.resolve();
    this.waiter = undefined;
  }

  /** Resolves when it is worth trying again; there is one who waits. */
  whenFree(): Promise<void> {
    if (this.free > 0) return Promise.resolve();
    this.waiter ??= Promise.withResolvers<void>();
    return this.waiter.promise;
  }
}
