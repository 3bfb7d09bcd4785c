import { redact } from '../events/redaction.js';
import { draftEvent, type EventDraft } from '../events/run-event.js';
import type { RunError } from '../events/run-error.js';
import { CarrelError } from '../shared/errors.js';
import type { AgentExecutionResult } from './agent-execution-result.js';
import { toRunError } from './run-failure.js';
import type { ClaimedRun, RunOutcome, RunRecord } from './run-store.port.js';

/** The first event of a run that begins, or that goes on after it was suspended or the server had stopped in the middle of it. */
export function openingEvent(run: ClaimedRun, atMs: number): EventDraft {
  const facts = { attempt: run.attempt, atMs };
  if (run.resumed) return draftEvent('agent_resumed', { attempt: run.attempt }, facts);
  return run.attempt > 1
    ? draftEvent('agent_retrying', { attempt: run.attempt, delayMs: 0, error: interruption(run) }, facts)
    : draftEvent(
        'agent_started',
        { status: 'started', isolated: true, agent: run.agent, input: redact(run.input) },
        facts,
      );
}

/** What the owner of an interrupted run is told. */
export function interruption(run: RunRecord): RunError {
  return toRunError(new CarrelError('interrupted'), run);
}

/** How a result is recorded. */
export function outcomeOf(result: AgentExecutionResult, endedAtMs: number): RunOutcome {
  return {
    status: result.status,
    endedAtMs,
    attempt: result.attempt,
    usage: result.usage,
    result: 'result' in result ? result.result : undefined,
    error: 'error' in result ? result.error : undefined,
  };
}

/** The one event that ends a run. */
export function terminalEvent(result: AgentExecutionResult, startedAtMs: number, endedAtMs: number): EventDraft {
  const facts = { attempt: result.attempt, atMs: endedAtMs };
  const durationMs = endedAtMs - startedAtMs;
  switch (result.status) {
    case 'completed':
    case 'degraded':
      return draftEvent(
        'agent_completed',
        { status: result.status, result: result.result, durationMs, usage: result.usage },
        facts,
      );
    case 'failed':
    case 'timed_out':
      return draftEvent('agent_error', { status: result.status, error: result.error, durationMs }, facts);
    case 'cancelled':
      return draftEvent('agent_cancelled', { by: result.by, forced: result.forced, durationMs }, facts);
  }
}
