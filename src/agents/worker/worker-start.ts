import type { MessagePort } from 'node:worker_threads';
import type { UserExecutionContext, UserExecutionContextFields } from '../../context/user-execution-context.js';

/** What a worker is given when it starts; it never does anything else. */
export interface WorkerStart {
  readonly moduleUrl: string;
  readonly agent: string;
  readonly context: Omit<UserExecutionContextFields, 'signal'>;
  readonly deadlineMs: number;
  /** Calls, both ways. */
  readonly calls: MessagePort;
  /** What is aborted. */
  readonly aborts: MessagePort;
}

/** What a context consists of, as plain data; its signal goes another way. */
export function fieldsOf(context: UserExecutionContext): WorkerStart['context'] {
  const { userId, requestId, roles, claims, threadId, runId, parentRunId, operations, attempt, metadata, audit } =
    context;
  return {
    userId,
    requestId,
    roles,
    claims,
    threadId,
    runId,
    parentRunId,
    operations,
    attempt,
    metadata,
    audit,
    createdAtMs: context.createdAt.getTime(),
    deadlineMs: context.deadline?.getTime(),
  };
}
