import type { RunEvent } from '../../src/events/run-event.js';
import type { CarrelProcess } from '../carrel-process.js';
import { isTerminal, type CarrelUser, type RecordingSocket, type RunJson } from '../carrel-server.js';

/** A question as `GET /v1/approvals` shows it. */
export interface Question {
  id: string;
  runId: string;
  step: string;
  title: string;
  status: 'open' | 'closed';
  answer?: unknown;
}

/** What an answer to a question about an interrupted step says. */
export interface Verdict {
  action: 'again' | 'done' | 'fail';
  result?: string;
}

/** A user who outlives the server, and compares what each of its lives says. */
export class DurableUser {
  /** Runs that this user knows of, from any life of the server. */
  readonly runs: string[] = [];
  /** What was heard in each life, from the first event on. */
  readonly lives: (readonly RunEvent[])[] = [];
  private client: CarrelUser | undefined;
  private socket: RecordingSocket | undefined;

  constructor(readonly id: string) {}

  /** In every input of this user's, and in nobody else's. */
  get word(): string {
    return `a secret of ${this.id}`;
  }

  /** Runs that have not come to an end, as far as was heard. */
  get open(): number {
    return this.runs.length - this.events.filter(isTerminal).length;
  }

  /** In the life of the server that is under way. */
  get events(): readonly RunEvent[] {
    return this.socket!.events;
  }

  async meet(server: CarrelProcess): Promise<void> {
    this.client = await server.as(this.id);
    this.socket = await this.client.connect({ after: 0 });
    this.lives.push(this.socket.events);
  }

  async start(agent: string, input: Record<string, unknown>, more: Record<string, unknown> = {}): Promise<string> {
    return this.accepted({ agent, input: { word: this.word, ...input }, ...more });
  }

  async startPipeline(pipeline: unknown, input: Record<string, unknown>): Promise<string> {
    return this.accepted({ pipeline, input: { word: this.word, holds: {}, busyMs: 0, ...input } });
  }

  until(fits: (event: RunEvent) => boolean): Promise<RunEvent> {
    return this.socket!.until(fits);
  }

  /** Resolves when this step's end was heard: it is on disk. */
  async stepEnded(run: string, name: string): Promise<void> {
    const fits = (path: string) => path === name || path.endsWith(`/${name}`) || path.endsWith(`:${name}`);
    await this.until(({ runId, type, step }) => runId === run && type === 'step_completed' && fits(step!));
  }

  /** Resolves when each of the runs has ended, or is suspended. */
  atRest(runs: readonly string[] = this.runs): Promise<void> {
    return this.untilLast(runs, (last) => isTerminal(last) || last.type === 'agent_suspended');
  }

  /** Resolves when all runs have ended. */
  ended(): Promise<void> {
    return this.untilLast(this.runs, isTerminal);
  }

  /** Learns of runs that were taken in by a server that was killed before it could say so. */
  async learnRuns(): Promise<void> {
    for (const { id } of await this.list<RunJson>('/v1/runs?limit=200'))
      if (!this.runs.includes(id)) this.runs.push(id);
  }

  async run(id: string): Promise<RunJson> {
    return (await this.client!.http<RunJson>('GET', `/v1/runs/${id}`)).body;
  }

  questions(status: 'open' | 'all'): Promise<Question[]> {
    return this.list(`/v1/approvals?status=${status}&limit=200`);
  }

  /** @returns the HTTP status */
  async decide(question: string, answer: unknown): Promise<number> {
    const body = { decision: 'answer', answer };
    return (await this.client!.http('POST', `/v1/approvals/${question}`, body)).status;
  }

  /** Decides, and hears of it. */
  async answer(question: string, answer: unknown): Promise<number> {
    const status = await this.decide(question, answer);
    if (status === 200) {
      await this.until(({ type, data }) => type === 'approval_resolved' && data.approvalId === question);
    }
    return status;
  }

  /**
   * Answers what the runs ask, until nobody asks any more.
   *
   * @returns what was asked
   */
  async answerAll(reply: (question: Question) => unknown): Promise<Question[]> {
    const asked: Question[] = [];
    for (;;) {
      await this.atRest();
      const open = await this.questions('open');
      if (open.length === 0) return asked;
      asked.push(...open);
      for (const question of open) {
        const status = await this.answer(question.id, reply(question));
        // another answer may have ended its run meanwhile
        if (status !== 200 && status !== 409) throw new Error(`${question.id} could not be answered: ${status}`);
      }
    }
  }

  private async list<Item>(path: string): Promise<Item[]> {
    const found: Item[] = [];
    for (let cursor = ''; ;) {
      const { body } = await this.client!.http<{ items: Item[]; nextCursor?: string | null }>('GET', path + cursor);
      found.push(...body.items);
      if (!body.nextCursor) return found;
      cursor = `&cursor=${body.nextCursor}`;
    }
  }

  private async untilLast(runs: readonly string[], fits: (last: RunEvent) => boolean): Promise<void> {
    const last = new Map<string, RunEvent>();
    let read = 0;
    await this.socket!.until(() => {
      for (; read < this.events.length; read++) last.set(this.events[read]!.runId, this.events[read]!);
      return runs.every((run) => last.has(run) && fits(last.get(run)!));
    });
  }

  private async accepted(request: Record<string, unknown>): Promise<string> {
    const { status, body, text } = await this.client!.http<RunJson>('POST', '/v1/runs', request);
    if (status !== 202) throw new Error(`${this.id}'s run was answered with ${status}: ${text}`);
    this.runs.push(body.id);
    return body.id;
  }
}

/** `2:child/3:a3` → `a3` */
export function nameOf(path: string): string {
  return path.replace(/^.*[/:]/, '');
}
