import type { CleanUp } from '../../context/execution-scope.js';
import type { UserExecutionContext } from '../../context/user-execution-context.js';
import type { ApprovalAnswer } from '../../events/approval-record.js';
import type { JsonObject, JsonValue } from '../../shared/json.js';
import type { AgentRun, Ask, SpawnOptions, StepCall, StepOptions, ToolCall } from '../agent-run.js';
import type { UsableTool } from '../tools/tool-definition.js';
import type { ToolResult } from '../tools/tool-result.js';
import type { UserTools } from '../tools/user-tools.js';
import type { AbortLine } from './abort-line.js';
import { described, plain } from './plain.js';
import type { ThreadLink } from './thread-link.js';

/** What the server's thread says of a tool call or a step when it has the worker carry it out. */
export type WorkFacts = Pick<ToolCall, 'callId'> | Pick<StepCall, 'attempt' | 'idempotencyKey'>;

type Work = (facts: never) => Promise<JsonValue | undefined>;

/**
 * The handle that an agent in a worker works with: it calls the real one, which keeps the record. The functions that the
 * agent gives to tools and steps, and its clean-ups, are carried out here.
 */
export class WorkerRun implements AgentRun {
  private readonly works = new Map<number, Work>();
  private readonly cleanUps: CleanUp[] = [];
  private lastWork = 0;

  constructor(
    readonly context: UserExecutionContext,
    private readonly deadlineMs: number,
    private readonly link: ThreadLink,
    private readonly aborts: AbortLine,
  ) {}

  get signal(): AbortSignal {
    return this.context.signal;
  }

  get deadline(): Date {
    return new Date(this.deadlineMs);
  }

  thinking(thought: string, facts?: { step?: number; progress?: number }): Promise<void> {
    return this.link.call('thinking', String(thought), facts) as Promise<void>;
  }

  delta(text: string): Promise<void> {
    return this.link.call('delta', String(text)) as Promise<void>;
  }

  progress(progress: number, message?: string): Promise<void> {
    return this.link.call('progress', progress, message) as Promise<void>;
  }

  /** What the agent gets is what its function returned, not what went into the record. */
  tool<Result>(tool: string, args: JsonObject, call: (call: ToolCall) => Promise<Result>): Promise<Result> {
    let returned: { value: Result } | undefined;
    const work = async ({ callId }: Pick<ToolCall, 'callId'>, id: number) => {
      const progress: ToolCall['progress'] = (...facts) =>
        this.link.call('toolProgress', id, ...facts) as Promise<void>;
      const value = await call({ callId, signal: this.signal, progress });
      returned = { value };
      return described(value);
    };
    return this.perform(work, async (id) => {
      const recorded = await this.link.call('tool', id, String(tool), described(args));
      return returned ? returned.value : (recorded as Result);
    });
  }

  step<Result extends JsonValue | void>(
    name: string,
    work: (call: StepCall) => Promise<Result> | Result,
    options?: StepOptions,
  ): Promise<Result> {
    const attempt = async (facts: Pick<StepCall, 'attempt' | 'idempotencyKey'>, id: number) => {
      const signal = this.aborts.open(id);
      try {
        return plain(await work({ ...facts, signal }), `the result of the step "${name}"`);
      } finally {
        this.aborts.drop(id);
      }
    };
    return this.perform(attempt, (id) => this.link.call('step', id, name, options) as Promise<Result>);
  }

  spawn<Result extends JsonValue = JsonValue>(agent: string, input: unknown, options?: SpawnOptions): Promise<Result> {
    return this.link.call('spawn', agent, input, options) as Promise<Result>;
  }

  /** Arguments that can't be copied are refused here, as what the engine could not keep would be there. */
  get tools(): UserTools {
    return {
      list: () => this.link.call('listTools') as Promise<readonly UsableTool[]>,
      call: (server, tool, args) => this.link.call('callTool', server, tool, args) as Promise<ToolResult>,
    };
  }

  sleep(ms: number): Promise<void> {
    return this.link.call('sleep', ms) as Promise<void>;
  }

  ask(question: Ask): Promise<ApprovalAnswer> {
    return this.link.call('ask', question) as Promise<ApprovalAnswer>;
  }

  onDispose(cleanUp: CleanUp): void {
    if (this.cleanUps.length === 0) this.link.tell('hasCleanUps');
    this.cleanUps.push(cleanUp);
  }

  use(usage: Readonly<Record<string, number>>): void {
    this.link.tell('use', usage);
  }

  /** Carries out what the agent gave to a tool or a step. */
  work(id: number, facts: WorkFacts): Promise<JsonValue | undefined> {
    const work = this.works.get(id);
    if (!work) throw new Error('this work is over');
    return work(facts as never);
  }

  /** From the last to the first; one that throws stops no other. */
  async cleanUp(): Promise<void> {
    const errors: unknown[] = [];
    for (let next = this.cleanUps.pop(); next; next = this.cleanUps.pop()) {
      try {
        await next();
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length > 0)
      throw errors.length === 1 ? errors[0] : new AggregateError(errors, 'several clean-ups failed');
  }

  private perform<Result>(
    work: (facts: never, id: number) => Promise<JsonValue | undefined>,
    ask: (id: number) => Promise<Result>,
  ): Promise<Result> {
    const id = ++this.lastWork;
    this.works.set(id, (facts: never) => work(facts, id));
    const result = ask(id).finally(() => this.works.delete(id));
    result.catch(() => undefined); // a rejection that the agent does not wait for must not end the worker
    return result;
  }
}
