import type { JsonObject, JsonValue } from '../shared/json.js';
import type { ApprovalId, CallId, EventId, RunId, ThreadId, UserId } from '../shared/ids.js';
import type { RunError, Usage } from './run-error.js';
import type { ApprovalDecision, ApprovalKind } from './approval-record.js';
import type { StepKind, StepOutcome, StepRecord } from './step-record.js';

/**
 * Every event there is: type → its data. The Socket.IO event's name, the SSE event's name and the `type` of the
 * envelope are the same word.
 */
export interface RunEventData {
  /** The run waits. `position` counts from 1 (0: nobody is before it, only time); `reason` says for what. */
  agent_queued: { position: number; reason: QueueReason; notBefore?: string };
  agent_started: { status: 'started'; isolated: true; agent: string; input: JsonValue };
  agent_thinking: { thought: string; step?: number; progress?: number };
  agent_message_delta: { text: string };
  tool_executing: { callId: CallId; tool: string; server?: string; arguments: JsonValue };
  tool_progress: { callId: CallId; progress: number; message?: string };
  tool_completed: { callId: CallId; outcome: 'ok' | 'error'; result: JsonValue; durationMs: number };
  /** Of a budget four fifths are spent. `unit`: `tokens`, or `usd` (US dollars). */
  budget_warning: { scope: 'run' | 'day' | 'month'; unit: 'tokens' | 'usd'; used: number; limit: number };
  /** `step` is the step's path, which the envelope has too. */
  step_started: { step: string; kind: StepKind };
  step_completed: { step: string; outcome: StepOutcome; reason?: string; attempts: number; durationMs: number };
  /** Somebody is asked. `expiresAt` is ISO 8601, UTC; `hash` names exactly what is asked. */
  approval_required: {
    approvalId: ApprovalId;
    kind: ApprovalKind;
    title: string;
    details?: JsonValue;
    schema?: JsonObject;
    approvers: readonly string[];
    hash: string;
    expiresAt: string;
  };
  approval_resolved: { approvalId: ApprovalId; decision: ApprovalDecision; by?: string };
  /** The run holds no slot and no place in its lane while it waits. `until` is ISO 8601, UTC. */
  agent_suspended: { waitsFor: 'answer' | 'time'; until?: string };
  agent_resumed: { attempt: number };
  /** A fallback is about to answer for `from`. */
  agent_fallback: { from: string; to: string | null; reason: string };
  agent_retrying: { attempt: number; delayMs: number; error: RunError };
  /** Terminal. */
  agent_completed: { status: 'completed' | 'degraded'; result: JsonValue; durationMs: number; usage?: Usage };
  /** Terminal. */
  agent_error: { status: 'failed' | 'timed_out'; error: RunError; durationMs: number };
  /** Terminal. `forced`: the agent did not stop within the grace period. */
  agent_cancelled: { by: string; forced: boolean; durationMs: number };
}

/** `user_limit`: for the user's own runs; `server_busy`: for a slot; `thread_busy`: for its thread; `delayed`: for its time. */
type QueueReason = 'user_limit' | 'server_busy' | 'thread_busy' | 'delayed';

export type RunEventType = keyof RunEventData;

const TERMINAL_EVENT_TYPES = ['agent_completed', 'agent_error', 'agent_cancelled'] as const;
export type TerminalEventType = (typeof TERMINAL_EVENT_TYPES)[number];

export function isTerminalType(type: RunEventType): type is TerminalEventType {
  return (TERMINAL_EVENT_TYPES as readonly string[]).includes(type);
}

/** The envelope, the same on every transport. */
export type RunEvent<Type extends RunEventType = RunEventType> = {
  [T in Type]: {
    v: 1;
    id: EventId;
    type: T;
    /** The event's place among all events of its user: 1, 2, 3, … without a gap. */
    seq: number;
    /** The event's place within its run, likewise. */
    runSeq: number;
    runId: RunId;
    parentRunId?: RunId;
    threadId: ThreadId;
    agent: string;
    step?: string;
    attempt: number;
    /** ISO 8601, UTC. */
    at: string;
    data: RunEventData[T];
  };
}[Type];

/** An event before the journal has given it its place. `data` is serialised already, so that nobody can change it any more. */
export interface EventDraft {
  type: RunEventType;
  attempt: number;
  /** Milliseconds since the Unix epoch. */
  atMs: number;
  /** JSON text of the event's `data`. */
  data: string;
  step?: string;
  /** What the store keeps of the steps that the event tells of, in the same transaction. */
  records?: readonly StepRecord[];
}

/** An event on disk. `json` is the whole envelope: it is serialised once, for journal, sockets, SSE and pages. */
export interface JournalledEvent {
  userId: UserId;
  runId: RunId;
  type: RunEventType;
  seq: number;
  json: string;
}

/** A draft from typed data. */
export function draftEvent<Type extends RunEventType>(
  type: Type,
  data: RunEventData[Type] & object,
  facts: { attempt: number; atMs: number; step?: string; records?: readonly StepRecord[] },
): EventDraft {
  const { attempt, atMs, step, records } = facts;
  return { type, attempt, atMs, data: JSON.stringify(data), step, records };
}
