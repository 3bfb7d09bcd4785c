import type { RunEvent, RunEventType } from '../events/run-event.js';
import type { PipelineSpec } from '../execution/pipeline/pipeline-spec.js';
import type { OnConflict } from '../execution/run-store.port.js';
import type { UserId } from '../shared/ids.js';
import type { ApprovalView } from './approval-view.js';
import type { WireError } from './problem.js';
import type { RunView } from './run-view.js';
import type { AnswerKind } from './wire-choices.js';
import type { RawEvent } from './wire-encoder.js';

/** What a client sends when it connects to the namespace `/agents`. */
export interface HandshakeAuth {
  token: string;
  /** The last `seq` that the client has: everything after it follows. Without it, only new events do. */
  after?: number;
}

/** Both ends are included. */
export interface StreamRange {
  from: number;
  to: number;
}

/** What an acknowledgement carries. */
export type WireReply<Data> = { ok: true; data: Data } | { ok: false; error: WireError };

type Ack<Data> = (reply: WireReply<Data>) => void;

export interface RunStartMessage {
  /** Either an agent's name or a pipeline: its name, or the whole of it. */
  agent?: string;
  pipeline?: string | PipelineSpec;
  input: unknown;
  threadId?: string;
  /** An object of plain data. */
  metadata?: unknown;
  idempotencyKey?: string;
  /** Among the user's own waiting runs. @default 0 */
  priority?: number;
  /** The run waits at least so long. @default 0 */
  delayMs?: number;
  /** @default 'enqueue' */
  onConflict?: OnConflict;
  /** W3C Trace Context: the run goes on with this trace. What is malformed is left out. */
  traceparent?: string;
}

export interface RunCancelMessage {
  runId: string;
  /** Answer when the run's work is down, instead of when it has been told. @default false */
  wait?: boolean;
}

export interface ApprovalRespondMessage {
  approvalId: string;
  decision: AnswerKind;
  answer?: unknown;
  /** Of the question that was shown: another one is not decided. */
  hash?: string;
}

export interface RunResumeMessage {
  runId: string;
  /** Which question, when the run asks several. */
  approvalId?: string;
  decision: AnswerKind;
  answer?: unknown;
}

export interface StreamResumeMessage {
  after: number;
}

export interface ClientToServerEvents {
  'run:start': (message: RunStartMessage, ack: Ack<RunView>) => void;
  'run:cancel': (message: RunCancelMessage, ack: Ack<RunView>) => void;
  /** Answers the run's only open question. */
  'run:resume': (message: RunResumeMessage, ack: Ack<RunView>) => void;
  'approval:respond': (message: ApprovalRespondMessage, ack: Ack<ApprovalView>) => void;
  /** Sends everything after `after` once more; the answer says what follows (`from` is `to + 1` when nothing does). */
  'stream:resume': (message: StreamResumeMessage, ack: Ack<StreamRange>) => void;
}

/** What a server says besides the events of runs. */
export interface ControlEvents {
  /** The first event of every connection. `seq`: the newest event there is. */
  ready: (facts: { userId: UserId; seq: number }) => void;
  /** These events have been removed from the journal; the next event comes after them. */
  stream_gap: (gap: StreamRange) => void;
  /** The token has expired; the server disconnects. */
  auth_expired: () => void;
  server_draining: (facts: { reconnectAfterMs: number }) => void;
  /** An error that nothing else can answer: of a message without an acknowledgement, or of the stream. */
  exception: (error: WireError & { event?: string }) => void;
}

/** For clients: `Socket<ServerToClientEvents, ClientToServerEvents>`. */
export type ServerToClientEvents = ControlEvents & { [Type in RunEventType]: (event: RunEvent<Type>) => void };

/** The same as the server sends it: events as the JSON text that the journal has. */
export type OutgoingEvents = ControlEvents & { [Type in RunEventType]: (event: RawEvent) => void };
