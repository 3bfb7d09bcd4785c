/**
 * An `AbortController`, which comes to be when somebody asks for its signal: it costs more than anything else that an
 * attempt of a run is made of, and most agents never look at theirs. Until then whoever works inside asks the switch, and
 * listens to it.
 */
export class StopSwitch {
  private controller: AbortController | undefined;
  private thrown: { readonly reason: unknown } | undefined;
  private listeners: Set<() => void> | undefined;

  /** @param followed is what it is instead: a signal that somebody else aborts */
  constructor(private readonly followed?: AbortSignal) {}

  get aborted(): boolean {
    return this.thrown !== undefined || (this.followed?.aborted ?? false);
  }

  get reason(): unknown {
    return this.thrown ? this.thrown.reason : (this.followed?.reason as unknown);
  }

  get signal(): AbortSignal {
    if (this.followed) return this.followed;
    if (!this.controller) {
      this.controller = new AbortController();
      if (this.thrown) this.controller.abort(this.thrown.reason);
    }
    return this.controller.signal;
  }

  /** The first reason counts. */
  abort(reason: unknown): void {
    if (this.aborted) return;
    this.thrown = { reason };
    const { listeners } = this;
    this.listeners = undefined;
    for (const listener of listeners ?? []) listener();
    this.controller?.abort(reason);
  }

  throwIfAborted(): void {
    if (this.aborted) throw this.reason;
  }

  /**
   * Calls `listener`, which must not throw, with the reason: once, when it is aborted, or at once when it is already.
   *
   * @returns takes it back
   */
  onStop(listener: (reason: unknown) => void): () => void {
    if (this.aborted) {
      listener(this.reason);
      return () => undefined;
    }
    const tell = (): void => listener(this.reason);
    const { followed } = this;
    if (followed) {
      followed.addEventListener('abort', tell, { once: true });
      return () => followed.removeEventListener('abort', tell);
    }
    const own = (this.listeners ??= new Set()).add(tell);
    return () => void own.delete(tell);
  }
}
