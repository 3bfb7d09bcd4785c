import type { FastifyReply } from 'fastify';
import type { UserExecutionContext } from '../context/user-execution-context.js';
import type { ExecutionService } from '../execution/execution.service.js';
import type { RunRequest } from '../execution/run-request.js';
import { isTerminal } from '../execution/run-status.js';
import { clientGone } from './client-gone.js';
import { preferredWaitSeconds } from './prefer-wait.js';
import { toRunView, type RunView } from './run-view.js';

/**
 * Starts a run and answers as the caller prefers: at once with 202, or with the result when it comes in time.
 *
 * @throws CarrelError whatever `ExecutionService.submit` throws
 */
export async function answerStart(
  execution: ExecutionService,
  context: UserExecutionContext,
  request: RunRequest,
  { prefer, reply }: { prefer: string | undefined; reply: FastifyReply },
): Promise<RunView> {
  const { run, replayed } = await execution.submit(context, request);
  reply.header('location', `/v1/runs/${run.id}`);
  if (replayed) reply.header('idempotency-replayed', 'true');
  const seconds = preferredWaitSeconds(prefer);
  if (seconds === 0) {
    reply.status(202);
    return toRunView(run);
  }
  reply.header('preference-applied', `wait=${seconds}`);
  const later = await execution.waitForEnd(context, run.id, { timeoutMs: seconds * 1_000, signal: clientGone(reply) });
  reply.status(isTerminal(later.status) ? 200 : 202);
  return toRunView(later);
}
