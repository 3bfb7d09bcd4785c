import { LRUCache } from 'lru-cache';
import type { UserExecutionContext } from '../../../src/context/user-execution-context.js';
import type { RunError } from '../../../src/events/run-error.js';
import type { AgentExecutionResult } from '../../../src/execution/agent-execution-result.js';
import { ExecutionHook, type RunFacts } from '../../../src/execution/hooks/execution-hook.js';
import type { RunId } from '../../../src/shared/ids.js';

/** A metrics hook as an application would write one: counts runs by agent and how they ended, and knows nothing of users. */
@ExecutionHook({ order: 100 })
export class RunCounts {
  private readonly underWay = new Map<RunId, string>();
  private readonly counts = new LRUCache<string, number>({ max: 1_000 });

  get running(): number {
    return this.underWay.size;
  }

  get(agent: string, outcome: string): number {
    return this.counts.get(`${agent} ${outcome}`) ?? 0;
  }

  beforeRun({ runId }: UserExecutionContext, { name }: RunFacts): void {
    if (runId) this.underWay.set(runId, name);
  }

  afterRun({ runId }: UserExecutionContext, { status }: AgentExecutionResult): void {
    this.count(runId, status);
  }

  onError({ runId }: UserExecutionContext, { code }: RunError): void {
    this.count(runId, code);
  }

  dispose({ runId }: UserExecutionContext): void {
    if (runId) this.underWay.delete(runId);
  }

  private count(runId: RunId | undefined, outcome: string): void {
    const key = `${runId ? this.underWay.get(runId) : undefined} ${outcome}`;
    this.counts.set(key, (this.counts.get(key) ?? 0) + 1);
  }
}
