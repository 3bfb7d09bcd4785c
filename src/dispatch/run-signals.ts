import type { Redis } from 'ioredis';
import type { RunConsumer } from '../execution/run-dispatcher.port.js';
import type { RunRef } from '../execution/run-store.port.js';
import { newId } from '../shared/ids.js';
import { runInLogScope } from '../shared/log-scope.js';
import type { RedisConnections } from './redis-connections.js';

/** What all nodes are told of a run, because nobody knows which of them carries it out. */
export type RunSignal = RunRef & ({ readonly kind: 'cancel'; readonly by: string } | { readonly kind: 'answered' });

/** Signals that are kept for when Redis is back, at most. The store knows of them all. */
const MAX_UNSENT = 1_000;

/** Tells all nodes what has become of runs that may be under way there. */
export class RunSignals {
  private readonly ownId = newId('nod');
  private readonly unsent: RunSignal[] = [];
  private consumer: RunConsumer | undefined;

  private constructor(
    private readonly sender: Redis,
    private readonly channel: string,
  ) {}

  /** @param listens whether runs are carried out here */
  static async open(connections: RedisConnections, listens: boolean): Promise<RunSignals> {
    const { sender, subscriber } = await connections.talk();
    const signals = new RunSignals(sender, `${connections.prefix}:signals`);
    sender.on('ready', () => signals.sendUnsent());
    if (!listens) return signals;
    const subscribe = () => subscriber.subscribe(signals.channel).catch(() => undefined); // again, when it is ready
    subscriber.on('ready', () => void subscribe());
    subscriber.on('message', (channel: string, text: string) => {
      if (channel === signals.channel) signals.heard(text);
    });
    await subscribe();
    return signals;
  }

  listen(consumer: RunConsumer): void {
    this.consumer = consumer;
  }

  /** Here at once; to the others as soon as there is a way. */
  tell(signal: RunSignal): void {
    this.deliver(signal);
    if (this.sender.status === 'ready') this.send(signal);
    else this.keep(signal);
  }

  private send(signal: RunSignal): void {
    const text = JSON.stringify({ from: this.ownId, ...signal });
    this.sender.publish(this.channel, text).catch(() => this.keep(signal));
  }

  private keep(signal: RunSignal): void {
    if (this.unsent.length >= MAX_UNSENT) this.unsent.shift();
    this.unsent.push(signal);
  }

  private sendUnsent(): void {
    for (const signal of this.unsent.splice(0)) this.send(signal);
  }

  private heard(text: string): void {
    const { from, ...signal } = JSON.parse(text) as RunSignal & { from: string };
    if (from !== this.ownId) this.deliver(signal);
  }

  private deliver(signal: RunSignal): void {
    const { userId, runId } = signal;
    const ref = { userId, runId };
    runInLogScope(ref, () => {
      if (signal.kind === 'cancel') this.consumer?.cancel(ref, signal.by);
      else this.consumer?.answered(ref);
    });
  }
}
