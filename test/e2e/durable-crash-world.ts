import { existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RunEvent } from '../../src/events/run-event.js';
import { CarrelProcess } from '../carrel-process.js';
import { isTerminal } from '../carrel-server.js';
import { DurableUser } from './durable-crash-user.js';

const AGENTS = 'test/fixtures/durable-agents.module.mjs';

/** What an agent of the fixture has written down itself: a step's work begins, or has ended. */
export interface Mark {
  life: number;
  user: string;
  run: string;
  mark: 'begin' | 'end';
  name: string;
  key: string | null;
  word: string;
}

/** A server that is killed and started again, its users, and what its agents have written down. */
export class DurableWorld {
  life = 0;
  readonly users: readonly DurableUser[];
  private server!: CarrelProcess;

  private constructor(
    private readonly dir: string,
    userIds: readonly string[],
    private readonly env: Record<string, string>,
  ) {
    this.users = userIds.map((id) => new DurableUser(id));
  }

  static async begin(userIds: readonly string[], env: Record<string, string> = {}): Promise<DurableWorld> {
    const dir = await mkdtemp(join(tmpdir(), 'carrel-durable-'));
    await mkdir(join(dir, 'records'));
    const world = new DurableWorld(dir, userIds, env);
    await world.live();
    return world;
  }

  user(id: string): DurableUser {
    return this.users.find((user) => user.id === id)!;
  }

  /** Starts the server, for another life, and has all users listen. */
  async live(): Promise<void> {
    this.life++;
    this.server = await CarrelProcess.start(join(this.dir, 'data'), {
      agents: AGENTS,
      env: {
        CARREL_USER_MAX_RUNNING: '200',
        CARREL_RUN_SLOTS: '600',
        ...this.env,
        CRASH_RECORDS: join(this.dir, 'records'),
        CRASH_LIFE: String(this.life),
      },
    });
    await Promise.all(this.users.map((user) => user.meet(this.server)));
    this.isGone = false;
  }

  /** Resolves when the run is held there. */
  async held(user: DurableUser, run: string, point: string): Promise<void> {
    const line = `@held ${user.id} ${run} ${point}`;
    await this.server.line(new RegExp(`^${line}$`));
  }

  /** True from the kill until the next life has begun. */
  isGone = false;

  kill(): Promise<void> {
    this.isGone = true;
    return this.server.kill();
  }

  /** Lets the work end that is held at its end, and kills the process before any of it can have been recorded. */
  async killAtTheEnd(): Promise<void> {
    this.server.signal('SIGUSR2');
    await this.server.line(/^@stands still$/);
    await this.kill();
  }

  async end(): Promise<void> {
    await this.server.kill();
    await rm(this.dir, { recursive: true, force: true });
  }

  marks(user: DurableUser): Mark[] {
    const file = join(this.dir, 'records', `${user.id}.jsonl`);
    if (!existsSync(file)) return [];
    return readFileSync(file, 'utf8')
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Mark);
  }

  /** How often each step of a run was begun, and ended, by name. */
  counts(user: DurableUser, run: string): Record<string, { begun: number; ended: number }> {
    const counts: Record<string, { begun: number; ended: number }> = {};
    for (const { mark, name } of this.marks(user).filter((one) => one.run === run)) {
      const count = (counts[name] ??= { begun: 0, ended: 0 });
      if (mark === 'begin') count.begun++;
      else count.ended++;
    }
    return counts;
  }

  /** What holds of every user whatever was killed when, once all runs have ended. */
  expectWhole(): void {
    for (const user of this.users) {
      expectWholeJournal(user);
      const marks = this.marks(user);
      for (const mark of marks) expect(mark).toMatchObject({ user: user.id, word: user.word });
      expect(marks.filter(({ run }) => !user.runs.includes(run))).toEqual([]);
      for (const work of Map.groupBy(marks, ({ run, name }) => `${run} ${name}`).values()) {
        expect(new Set(work.map(({ key }) => key)).size).toBe(1);
      }
      const keyed = marks.filter(({ key }) => key !== null);
      const places = Map.groupBy(keyed, ({ key }) => key);
      for (const work of places.values()) expect(new Set(work.map(({ run, name }) => `${run} ${name}`)).size).toBe(1);
    }
  }
}

function expectWholeJournal(user: DurableUser): void {
  const { events, runs } = user;
  expect(events.map(({ seq }) => seq)).toEqual(events.map((_, i) => i + 1));
  const ids = events.map(({ id }) => id);
  for (const life of user.lives) expect(life.map(({ id }) => id)).toEqual(ids.slice(0, life.length));
  const byRun = Map.groupBy(events, ({ runId }) => String(runId));
  expect([...byRun.keys()].toSorted()).toEqual(runs.toSorted());
  for (const own of byRun.values()) {
    const types = own.map(({ type }: RunEvent) => type);
    expect(own.map(({ runSeq }) => runSeq)).toEqual(own.map((_, i) => i + 1));
    expect(types.filter((type) => type === 'agent_started')).toHaveLength(1);
    expect(own.filter(isTerminal)).toEqual([own.at(-1)]);
  }
}
