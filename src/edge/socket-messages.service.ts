import { Inject, Injectable } from '@nestjs/common';
import type { UserExecutionContext } from '../context/user-execution-context.js';
import { EVENT_JOURNAL, type EventJournal } from '../events/event-journal.port.js';
import { ApprovalService } from '../execution/approval.service.js';
import { ExecutionService } from '../execution/execution.service.js';
import { Tracing } from '../execution/tracing/tracing.service.js';
import { toApprovalView, type ApprovalView } from './approval-view.js';
import { checkPosition } from './check-position.js';
import { approvalIdOf, runIdOf } from './id-pipes.js';
import { RunQuestions } from '../execution/run-questions.service.js';
import { toRunView, type RunView } from './run-view.js';
import type { ClientToServerEvents, StreamRange } from './wire-events.js';
import { APPROVAL_RESPOND, parsePayload, RUN_CANCEL, RUN_RESUME, RUN_START, STREAM_RESUME } from './wire-messages.js';

/** One message: on whose behalf, and what to do about it. */
export interface MessageCall {
  /** This message's own. */
  readonly context: UserExecutionContext;
  readonly payload: unknown;
  /** Called once, unless the handler throws. */
  answer(data: RunView | ApprovalView | StreamRange): void;
  /** Begins the socket's stream anew. */
  restartStream(after: number, pruned: number): void;
}

type Handler = (call: MessageCall) => Promise<void>;

/** What clients can ask for, over any socket. Holds nothing of anybody's: who asks comes with the call. */
@Injectable()
export class SocketMessages {
  private readonly handlers: Readonly<Record<keyof ClientToServerEvents, Handler>> = {
    'run:start': (call) => this.start(call),
    'run:cancel': (call) => this.cancel(call),
    'run:resume': (call) => this.resume(call),
    'approval:respond': (call) => this.respond(call),
    'stream:resume': (call) => this.restart(call),
  };

  constructor(
    private readonly execution: ExecutionService,
    private readonly approvals: ApprovalService,
    private readonly questions: RunQuestions,
    private readonly tracing: Tracing,
    @Inject(EVENT_JOURNAL) private readonly journal: EventJournal,
  ) {}

  get names(): string[] {
    return Object.keys(this.handlers);
  }

  /** @returns undefined when there is no message of that name */
  handlerOf(name: string): Handler | undefined {
    return Object.hasOwn(this.handlers, name) ? this.handlers[name as keyof ClientToServerEvents] : undefined;
  }

  private async start({ context, payload, answer }: MessageCall): Promise<void> {
    const { traceparent = context.audit.traceparent, ...request } = parsePayload(RUN_START, payload, 'run:start');
    const { run } = await this.tracing.request('run:start', traceparent, (span) =>
      this.execution.submit(span ? context.traced(span) : context, request),
    );
    answer(toRunView(run));
  }

  private async cancel({ context, payload, answer }: MessageCall): Promise<void> {
    const { runId, wait } = parsePayload(RUN_CANCEL, payload, 'run:cancel');
    const run = await this.execution.cancel(context, runIdOf(runId), { wait, signal: context.signal });
    answer(toRunView(run));
  }

  private async resume({ context, payload, answer }: MessageCall): Promise<void> {
    const { runId, approvalId, ...said } = parsePayload(RUN_RESUME, payload, 'run:resume');
    const which = approvalId === undefined ? undefined : approvalIdOf(approvalId);
    answer(toRunView(await this.questions.resume(context, runIdOf(runId), { ...said, approvalId: which })));
  }

  private async respond({ context, payload, answer }: MessageCall): Promise<void> {
    const { approvalId, ...said } = parsePayload(APPROVAL_RESPOND, payload, 'approval:respond');
    answer(toApprovalView(await this.approvals.respond(context, approvalIdOf(approvalId), said)));
  }

  private async restart({ context, payload, answer, restartStream }: MessageCall): Promise<void> {
    const { after } = parsePayload(STREAM_RESUME, payload, 'stream:resume');
    const { pruned, last } = await this.journal.bounds(context.userId);
    checkPosition(after, last);
    answer({ from: Math.max(after, pruned) + 1, to: last });
    restartStream(after, pruned);
  }
}
