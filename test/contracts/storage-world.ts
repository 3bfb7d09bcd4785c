import { draftEvent, type EventDraft, type RunEvent } from '../../src/events/run-event.js';
import type { EventJournal } from '../../src/events/event-journal.port.js';
import type { LaneLimits } from '../../src/execution/lane.js';
import type { ClaimedRun, NewRun, RunOutcome, RunRecord, RunStore } from '../../src/execution/run-store.port.js';
import type { BudgetStore } from '../../src/execution/models/budget-store.port.js';
import type { MessageStore } from '../../src/execution/models/message-store.port.js';
import type { OperationsStore } from '../../src/execution/operations/operations-store.port.js';
import type { ApprovalStore } from '../../src/execution/approval-store.port.js';
import type { ScheduleStore } from '../../src/execution/schedule-store.port.js';
import type { ThreadStore } from '../../src/execution/thread-store.port.js';
import type { UsageStore } from '../../src/execution/usage-store.port.js';
import type { TerminalStatus } from '../../src/execution/run-status.js';
import type { Clock } from '../../src/shared/clock.js';
import { newId, type CallId, type RunId, type SupportCode, type UserId } from '../../src/shared/ids.js';

/** The ports of one storage, and how to be done with it. */
export interface StoragePorts {
  runs: RunStore;
  threads: ThreadStore;
  journal: EventJournal;
  usage: UsageStore;
  approvals: ApprovalStore;
  schedules: ScheduleStore;
  budgets: BudgetStore;
  messages: MessageStore;
  operations: OperationsStore;
  close(): Promise<void>;
}

/** Opens an empty storage of its own. */
export type OpenStorage = (clock: Clock) => Promise<StoragePorts>;

export const alice = 'alice' as UserId;
export const bob = 'bob' as UserId;

export const T0 = Date.UTC(2026, 0, 15, 12);

/** Time that stands still until a test moves it. */
export class HeldClock implements Clock {
  private timers: { atMs: number; callback: () => void }[] = [];

  constructor(private nowMs = T0) {}

  now(): number {
    return this.nowMs;
  }

  after(delayMs: number, callback: () => void): () => void {
    const timer = { atMs: this.nowMs + delayMs, callback };
    this.timers.push(timer);
    return () => {
      this.timers = this.timers.filter((other) => other !== timer);
    };
  }

  get pending(): readonly number[] {
    return this.timers.map(({ atMs }) => atMs - this.nowMs);
  }

  /** Moves on, and fires what is due. */
  advance(ms: number): void {
    this.nowMs += ms;
    const due = this.timers.filter(({ atMs }) => atMs <= this.nowMs);
    this.timers = this.timers.filter(({ atMs }) => atMs > this.nowMs);
    for (const { callback } of due) callback();
  }
}

export const ROOMY: LaneLimits = { maxRunning: 1_000, maxQueued: 1_000, startsPerMinute: 10_000, maxSuspended: 1_000 };

export function newRun(over: Partial<NewRun> = {}): NewRun {
  return {
    id: newId('run'),
    threadId: newId('thr'),
    agent: 'summarise',
    input: { text: 'a text' },
    metadata: { purpose: 'test' },
    origin: { requestId: newId('req'), roles: ['reader'], clientIp: '192.0.2.1' },
    createdAtMs: T0,
    placeInLine: 0,
    ...over,
  };
}

export function opening(run: RunRecord): EventDraft {
  return draftEvent(
    'agent_started',
    { status: 'started', isolated: true, agent: run.agent, input: run.input },
    { attempt: run.attempt, atMs: T0 },
  );
}

export function thinking(thought: string, facts: { step?: string; atMs?: number } = {}): EventDraft {
  return draftEvent('agent_thinking', { thought }, { attempt: 1, atMs: facts.atMs ?? T0, step: facts.step });
}

export function executing(callId: string, tool: string): EventDraft {
  return draftEvent('tool_executing', { callId: callId as CallId, tool, arguments: {} }, { attempt: 1, atMs: T0 });
}

export function toolDone(callId: string): EventDraft {
  return draftEvent(
    'tool_completed',
    { callId: callId as CallId, outcome: 'ok', result: null, durationMs: 1 },
    { attempt: 1, atMs: T0 },
  );
}

export function closing(by = 'alice'): EventDraft {
  return draftEvent('agent_cancelled', { by, forced: false, durationMs: 0 }, { attempt: 0, atMs: T0 });
}

export const RUN_ERROR = {
  code: 'agent_failed',
  message: 'The agent failed',
  supportCode: 'sup_1' as SupportCode,
  retryable: true,
} as const;

/** The terminal event that belongs to a status. */
export function terminalDraft(status: TerminalStatus, atMs = T0): EventDraft {
  const facts = { attempt: 1, atMs };
  switch (status) {
    case 'completed':
    case 'degraded':
      return draftEvent('agent_completed', { status, result: { ok: true }, durationMs: 1 }, facts);
    case 'failed':
    case 'timed_out':
      return draftEvent('agent_error', { status, error: RUN_ERROR, durationMs: 1 }, facts);
    case 'cancelled':
      return draftEvent('agent_cancelled', { by: 'alice', forced: false, durationMs: 1 }, facts);
  }
}

export function outcomeOf(status: TerminalStatus, atMs = T0): RunOutcome {
  return { status, endedAtMs: atMs, attempt: 1, result: { ok: true } };
}

/** What is kept of a run that was claimed. */
export function recordOf(claimed: ClaimedRun): RunRecord {
  const { resumed: _, hasSteps: __, ...record } = claimed;
  return record;
}

/** One storage with its clock, and the short ways through it that many tests take. */
export class StorageWorld {
  readonly clock = new HeldClock();

  constructor(readonly ports: StoragePorts) {}

  static async open(openStorage: OpenStorage): Promise<StorageWorld> {
    const clock = new HeldClock();
    return Object.assign(new StorageWorld(await openStorage(clock)), { clock });
  }

  /** Submits and claims a run. */
  async running(userId: UserId, over: Partial<NewRun> = {}, limits = ROOMY): Promise<RunRecord> {
    const { run } = await this.ports.runs.submit(userId, newRun(over), limits);
    const claimed = await this.ports.runs.claim(userId, run.id, opening);
    if (!claimed) throw new Error(`${run.id} was not admitted`);
    return recordOf(claimed);
  }

  /** Takes a run from its start to its end. */
  async ended(userId: UserId, over: Partial<NewRun> = {}, status: TerminalStatus = 'completed'): Promise<RunRecord> {
    const run = await this.running(userId, over);
    await this.end(run, status);
    return (await this.ports.runs.find(userId, run.id))!;
  }

  async end(run: RunRecord, status: TerminalStatus = 'completed', limits = ROOMY) {
    const { userId, id, fence } = run;
    return this.ports.runs.finish(userId, id, fence, outcomeOf(status), [terminalDraft(status)], limits);
  }

  /** All of a user's events, or one run's. */
  async events(userId: UserId, runId?: RunId, after = 0): Promise<RunEvent[]> {
    const { items } = await this.ports.journal.read(userId, { after, limit: 100_000, runId });
    return items.map(({ json }) => JSON.parse(json) as RunEvent);
  }

  async types(userId: UserId, runId?: RunId): Promise<string[]> {
    return (await this.events(userId, runId)).map(({ type }) => type);
  }
}

/** Runs a contract's tests, each on an empty storage. */
export function onEmptyStorage(openStorage: OpenStorage): () => StorageWorld {
  let world: StorageWorld;
  beforeEach(async () => {
    world = await StorageWorld.open(openStorage);
  });
  afterEach(() => world.ports.close());
  return () => world;
}

/** 1, 2, 3, …, n */
export function upTo(n: number): number[] {
  return Array.from({ length: n }, (_, i) => i + 1);
}
