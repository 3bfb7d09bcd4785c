import { Controller, Get, Injectable, Module, Param, Scope } from '@nestjs/common';
import { z } from 'zod';
import { Agent } from '../../src/agents/agent.decorator.js';
import type { AgentRun } from '../../src/agents/agent-run.js';
import { UserExecutionContext } from '../../src/context/user-execution-context.js';
import { CarrelServer, type CarrelUser, type RunJson } from '../carrel-server.js';

/** Brings so many executions to the same place before any of them goes on. */
@Injectable()
class Meeting {
  private readonly waiting: (() => void)[] = [];

  async of(n: number): Promise<void> {
    await new Promise<void>((resolve) => {
      this.waiting.push(resolve);
      if (this.waiting.length === n) for (const go of this.waiting.splice(0)) go();
    });
  }
}

/** A team's own request-scoped provider, two levels deep: it knows whom it works for, and nobody told it. */
@Injectable({ scope: Scope.REQUEST })
class Notebook {
  readonly lines: string[] = [];

  constructor(readonly context: UserExecutionContext) {}
}

@Injectable({ scope: Scope.REQUEST })
class Desk {
  constructor(
    readonly notebook: Notebook,
    readonly context: UserExecutionContext,
    readonly meeting: Meeting,
  ) {}

  /** Writes something down, waits for all others to have done so, and tells what it knows. */
  async work(line: string, others: number) {
    const { notebook, context } = this;
    notebook.lines.push(`${context.userId}: ${line}`);
    await this.meeting.of(others);
    return {
      lines: notebook.lines,
      sameContext: notebook.context === context,
      userId: context.userId,
      requestId: context.requestId,
      runId: context.runId ?? null,
      attempt: context.attempt,
    };
  }
}

@Controller({ path: 'desk', scope: Scope.REQUEST })
class DeskController {
  constructor(
    private readonly desk: Desk,
    private readonly context: UserExecutionContext,
  ) {}

  @Get(':line')
  async work(@Param('line') line: string) {
    const known = await this.desk.work(line, 20);
    return { ...known, sameContext: known.sameContext && this.desk.context === this.context };
  }
}

const Work = z.object({ line: z.string(), others: z.number() });

@Agent({ name: 'desk', description: 'Works at a desk', input: Work })
class DeskAgent {
  constructor(
    private readonly desk: Desk,
    private readonly context: UserExecutionContext,
  ) {}

  async run({ line, others }: z.output<typeof Work>, run: AgentRun) {
    const known = await this.desk.work(line, others);
    const sameContext = known.sameContext && this.desk.context === this.context && run.context === this.context;
    return { ...known, sameContext };
  }
}

@Module({ controllers: [DeskController], providers: [Meeting, Notebook, Desk, DeskAgent] })
class DeskModule {}

interface Known {
  lines: string[];
  sameContext: boolean;
  userId: string;
  requestId: string;
  runId: string | null;
  attempt: number;
}

describe('UserExecutionContext, injected', () => {
  let server: CarrelServer;
  let alice: CarrelUser;
  let bob: CarrelUser;

  beforeAll(async () => {
    const env = { CARREL_USER_MAX_RUNNING: '20' };
    server = await CarrelServer.start({ agents: [DeskModule], env });
    [alice, bob] = await Promise.all([server.as('alice'), server.as('bob')]);
  });

  afterAll(() => server.close());

  const each = <Result>(work: (user: CarrelUser, n: number) => Promise<Result>): Promise<Result[]> =>
    Promise.all(Array.from({ length: 20 }, (_, n) => work(n % 2 === 0 ? alice : bob, n)));

  /** What 20 executions that were all under way at the same moment have to say, alice's and bob's in turns. */
  function expectNothingShared(known: readonly Known[]): void {
    known.forEach(({ lines, userId, sameContext }, n) => {
      const user = n % 2 === 0 ? 'alice' : 'bob';
      expect({ lines, userId, sameContext }).toEqual({
        lines: [`${user}: line-${n}`],
        userId: user,
        sameContext: true,
      });
    });
    expect(new Set(known.map(({ requestId }) => requestId)).size).toBe(20);
  }

  it("is the request's own in a request-scoped controller and its providers, for alice and bob at once", async () => {
    const known = await each(async (user, n) => {
      const headers = { 'x-request-id': `request-${n}` };
      const { status, body } = await user.http<Known>('GET', `/desk/line-${n}`, undefined, headers);
      expect({ status, requestId: body.requestId }).toEqual({ status: 200, requestId: `request-${n}` });
      return body;
    });
    expectNothingShared(known);
    expect(known.every(({ runId, attempt }) => runId === null && attempt === 0)).toBe(true);
  });

  it("is the run's own in an agent and its providers, for alice and bob at once", async () => {
    const known = await each(async (user, n) => {
      const input = { line: `line-${n}`, others: 20 };
      const answer = await user.http<RunJson>('POST', '/v1/runs', { agent: 'desk', input }, { prefer: 'wait=20' });
      expect(answer.body).toMatchObject({ status: 'completed', result: { runId: answer.body.id, attempt: 1 } });
      return answer.body.result as Known;
    });
    expectNothingShared(known);
  });

  it('is not shared by two messages of one socket that are under way at the same time', async () => {
    const sockets = await Promise.all([alice.connect(), bob.connect()]);
    const known = await each(async (user, n) => {
      const socket = sockets[n % 2]!;
      const input = { line: `line-${n}`, others: 20 };
      const ack = await socket.emit<RunJson>('run:start', { agent: 'desk', input });
      if (!ack.ok) throw new Error(ack.error.message);
      const end = await socket.until((event) => event.runId === ack.data.id && event.type === 'agent_completed');
      return (end.data as unknown as { result: Known }).result;
    });
    expectNothingShared(known);
    expect(new Set(known.map(({ runId }) => runId)).size).toBe(20);
  });

  it('is refused to a request-scoped controller when nobody is signed in', async () => {
    const response = await fetch(`${server.url}/desk/line`);
    expect(response.status).toBe(401);
    expect(await response.json()).toMatchObject({ code: 'unauthenticated' });
  });

  it('is gone when the execution is: no context is live in the end', () => {
    expect(server.held).toEqual({ liveContexts: 0, active: 0 });
  });
});
