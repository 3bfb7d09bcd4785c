import { setTimeout as pause } from 'node:timers/promises';
import type { Cluster } from '../servers/cluster.js';
import { ClusterUser } from './cluster-user.js';

/** Runs of a user that are started at once, so that some wait. */
const AT_ONCE = 3;
const PAUSE_MS = 300;
/** Every so many times one of them is a long one, so that there is always something to interrupt. */
const LONG_EVERY = 3;
const LONG_MS = 800;

/** Users who start runs all the time, and listen. */
export class Load {
  private isOver = false;
  private readonly starting: Promise<unknown>;

  private constructor(readonly users: readonly ClusterUser[]) {
    this.starting = Promise.all(users.map((user) => this.keepStarting(user)));
    this.starting.catch(() => undefined); // `end` says it
  }

  /** Resolves when everybody has seen a run through. */
  static async begin(cluster: Cluster, names: readonly string[]): Promise<Load> {
    const users = await Promise.all(names.map((name) => ClusterUser.of(cluster, name)));
    for (const user of users) user.follow();
    const load = new Load(users);
    await load.goesOn();
    return load;
  }

  /** Resolves when everybody has seen through a run that was accepted from now on. */
  async goesOn(): Promise<void> {
    await Promise.all(
      this.users.map((user) => {
        const before = user.accepted.length;
        return user.until(
          () => user.accepted.slice(before).some((id) => user.endedAtMs.has(id)),
          'the end of a new run',
        );
      }),
    );
  }

  /** Starts no more. Resolves when all that was accepted has ended. */
  async end(): Promise<void> {
    this.isOver = true;
    await this.starting;
    await Promise.all(this.users.map((user) => user.untilAllEnded()));
    for (const user of this.users) user.leave();
  }

  private async keepStarting(user: ClusterUser): Promise<void> {
    for (let i = 0; !this.isOver; i++) {
      const ms = Array.from({ length: AT_ONCE }, (_, n) => (n === 0 && i % LONG_EVERY === 1 ? LONG_MS : 10 * n));
      await Promise.all(ms.map((each) => user.start('work', { ms: each, text: user.id })));
      await pause(PAUSE_MS);
    }
  }
}
