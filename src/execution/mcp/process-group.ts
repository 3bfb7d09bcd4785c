import { spawn, type ChildProcessByStdio } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import type { Clock } from '../../shared/clock.js';
import { isOverWithin } from '../../shared/pause.js';

/** How long a process may take to end by itself once its input is closed, and again once it is told to. */
const GRACE_MS = 1_000;

/** Leaders of groups that have not ended: none of them outlives this process, however it exits. */
const living = new Set<number>();

process.on('exit', () => {
  for (const pid of living) signalGroup(pid, 'SIGKILL');
});

export interface ProcessLaunch {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  /** All that is in its environment. */
  readonly env: Readonly<Record<string, string>>;
}

/** A process in a group of its own, so that it ends together with whatever it has started. */
export class ProcessGroup {
  /** Resolves when the process has ended and its pipes are closed, with a phrase such as "exit code 1". */
  readonly ended: Promise<string>;
  private ending: Promise<void> | undefined;

  private constructor(
    private readonly child: ChildProcessByStdio<Writable, Readable, Readable>,
    readonly pid: number,
    private readonly clock: Clock,
  ) {
    living.add(pid);
    this.ended = this.whenEnded();
  }

  /** @throws the system's error (`ENOENT`, `EACCES` …) when it can't be started */
  static async start({ command, args, cwd, env }: ProcessLaunch, clock: Clock): Promise<ProcessGroup> {
    const child = spawn(command, [...args], { cwd, env, detached: true, stdio: ['pipe', 'pipe', 'pipe'] });
    child.stdin.on('error', () => {}); // whoever writes is told by the end of the process
    const started = Promise.withResolvers<void>();
    child.once('spawn', started.resolve);
    child.once('error', started.reject);
    await started.promise;
    return new ProcessGroup(child, child.pid!, clock);
  }

  get stdin(): Writable {
    return this.child.stdin;
  }

  get stdout(): Readable {
    return this.child.stdout;
  }

  get stderr(): Readable {
    return this.child.stderr;
  }

  /** Ends the process and all that it has started: its input is closed, then it is told to end, then it is ended. */
  async end(): Promise<void> {
    await (this.ending ??= this.endOnce());
  }

  private async endOnce(): Promise<void> {
    this.child.stdin.end();
    if (!(await isOverWithin(GRACE_MS, this.ended, this.clock))) signalGroup(this.pid, 'SIGTERM');
    if (!(await isOverWithin(GRACE_MS, this.ended, this.clock))) signalGroup(this.pid, 'SIGKILL');
    await this.ended;
  }

  private async whenEnded(): Promise<string> {
    const exited = Promise.withResolvers<string>();
    this.child.once('exit', (code, signal) => exited.resolve(signal ? `signal ${signal}` : `exit code ${code}`));
    const closed = Promise.withResolvers<void>();
    this.child.once('close', closed.resolve);
    const how = await exited.promise;
    await this.endOrphans(closed.promise);
    living.delete(this.pid);
    return how;
  }

  /** The process is gone; its children may still be there, and hold its pipes open. */
  private async endOrphans(closed: Promise<void>): Promise<void> {
    if (signalGroup(this.pid, 'SIGTERM')) {
      await isOverWithin(GRACE_MS, closed, this.clock);
      signalGroup(this.pid, 'SIGKILL');
    }
    if (await isOverWithin(GRACE_MS, closed, this.clock)) return;
    // one that has left the group: it can not be ended, but nothing of it is heard any more
    this.child.stdout.destroy();
    this.child.stderr.destroy();
  }
}

/** @returns false when nobody is left in the group */
function signalGroup(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(-pid, signal);
  } catch {
    return false;
  }
}
