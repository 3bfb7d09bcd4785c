import { Module } from '@nestjs/common';
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import type { AgentProvider } from '../../src/agents/agent-provider.js';
import type { AgentRun } from '../../src/agents/agent-run.js';
import { Agent } from '../../src/agents/agent.decorator.js';
import { CarrelServer, type CarrelUser, type RunJson } from '../carrel-server.js';

const PAGE = readFileSync('docs/durable-runs.md', 'utf8');
const Invoice = z.object({ to: z.string(), amount: z.number() });

/** The agent that the page's questions come from. */
@Agent({ name: 'pay-invoice', description: 'Pays, when somebody approves', input: Invoice })
class PayInvoiceAgent implements AgentProvider<z.output<typeof Invoice>> {
  async run({ to, amount }: z.output<typeof Invoice>, run: AgentRun) {
    const { decision, answer } = await run.ask({
      kind: 'approval',
      title: `Pay ${amount} EUR to ${to}?`,
      schema: { type: 'object', properties: { note: { type: 'string' } } },
    });
    return { paid: decision === 'approved', answer: answer ?? null };
  }
}

@Module({ providers: [PayInvoiceAgent] })
class InvoiceModule {}

interface Example {
  /** The variable that the answer's id is kept in. */
  variable?: string;
  /** Where the id is: `.id`, `.items[0].id`. */
  pick: string;
  method: string;
  path: string;
  headers: Record<string, string>;
  body?: unknown;
  /** What is expected when it is not a success. */
  refused?: { status: number; code: string };
}

interface Answered {
  example: Example;
  status: number;
  body: Record<string, unknown>;
}

/** Sends all of the page's examples, in their order, as a shell would. */
async function sendAll(user: CarrelUser, examples: readonly Example[], until: (answer: Answered) => Promise<unknown>) {
  const variables: Record<string, string> = {};
  const answered: Answered[] = [];
  for (const example of examples) {
    const path = example.path.replaceAll(/\$(\w+)/g, (_, name: string) => variables[name] ?? `no ${name}`);
    const { status, body } = await user.http(example.method, path, example.body, example.headers);
    const answer = { example, status, body };
    answered.push(answer);
    if (example.variable) variables[example.variable] = idIn(body, example.pick);
    await until(answer);
  }
  return answered;
}

function idIn(body: object, pick: string): string {
  const keys = pick.split(/[.[\]]+/).filter(Boolean);
  return String(keys.reduce<unknown>((value, key) => (value as Record<string, unknown>)[key], body));
}

const EXAMPLES = [...PAGE.matchAll(/^```sh\n([\s\S]*?)^```/gm)].flatMap(([, block]) => examplesIn(block!));

function examplesIn(block: string): Example[] {
  const command =
    /(?:^(\w+)=\$\()?curl -s ([\s\S]*?)(?: \| jq -r '?([^')]+)'?\))?(?: # (\d+) (\w+))?$(?=\n(?:\w+=\$\()?curl|\n*$(?![\s\S]))/gm;
  return [...block.matchAll(command)].map(([, variable, call = '', pick = '', status, code]): Example => {
    const [, sent] = /-d '([\s\S]*?)'$/.exec(call) ?? [];
    const headers = [...call.matchAll(/-H (?:'|")([\w-]+): ([^'"]+)(?:'|")/g)].map(([, name, value]) => [
      name!,
      value!,
    ]);
    const [, address = ''] = /"?\$CARREL([^\s"]*)/.exec(call) ?? [];
    return {
      variable,
      pick,
      method: /-X (\w+)/.exec(call)?.[1] ?? (sent === undefined ? 'GET' : 'POST'),
      path: address,
      // The others are the user's to send.
      headers: Object.fromEntries(headers.filter(([name]) => name === 'Prefer')) as Record<string, string>,
      body: sent === undefined ? undefined : (JSON.parse(sent) as unknown),
      refused: status && code ? { status: Number(status), code } : undefined,
    };
  });
}

describe('docs/durable-runs.md', () => {
  it('has an example of every door that it is about', () => {
    const calls = PAGE.match(/curl -s/g)!.length;
    expect(PAGE.match(/-H "Authorization: Bearer \$TOKEN"/g)).toHaveLength(calls);
    expect(PAGE.match(/-H 'Content-Type: application\/json'/g)).toHaveLength(PAGE.match(/ -d '/g)!.length);
    expect(EXAMPLES).toHaveLength(calls);
    expect(EXAMPLES.every(({ path }) => path.startsWith('/v1/'))).toBe(true);
    const doors = new Set(EXAMPLES.map(({ method, path }) => `${method} ${path.replace(/\?.*/, '')}`));
    expect([...doors]).toEqual(
      expect.arrayContaining([
        'POST /v1/runs',
        'GET /v1/approvals',
        'POST /v1/approvals/$APPROVAL',
        'POST /v1/runs/$RUN/resume',
        'POST /v1/runs/$RUN/retry',
        'POST /v1/schedules',
        'PATCH /v1/schedules/$SCHEDULE',
        'DELETE /v1/schedules/$SCHEDULE',
        'GET /v1/me/queue',
        'GET /v1/me/isolation',
      ]),
    );
  });

  it('says what a real server does', async () => {
    await using server = await CarrelServer.start({ agents: [InvoiceModule] });
    const alice = await server.as('alice');
    const socket = await alice.connect({ after: 0 });
    const answered = await sendAll(alice, EXAMPLES, async ({ example, body }) => {
      const { agent } = (example.body ?? {}) as { agent?: string };
      // A shell is slower than the server is with its question.
      if (agent !== 'pay-invoice') return;
      await socket.until(({ runId, type }) => runId === body['id'] && type === 'agent_suspended');
    });
    for (const { example, status, body } of answered) {
      const what = `${example.method} ${example.path}`;
      if (example.refused) expect([what, status, body['code']]).toEqual([what, ...Object.values(example.refused)]);
      else expect([what, status < 300, body]).toEqual([what, true, body]);
    }
    const of = (method: string, path: string) =>
      answered.filter(({ example }) => example.method === method && example.path === path).map(({ body }) => body);

    const [pipeline] = of('POST', '/v1/runs') as unknown as RunJson[];
    expect(pipeline).toMatchObject({ status: 'completed', pipeline: 'old-and-new' });
    const { steps } = pipeline!.result as { steps: { step: string; outcome: string }[] };
    expect(steps.map(({ step, outcome }) => [step, outcome])).toEqual([
      ['old', 'ok'],
      ['new', 'ok'],
      ['difference', 'ok'],
    ]);
    const [, , first, second] = of('POST', '/v1/runs') as unknown as RunJson[];
    expect(await alice.end(first!.id)).toMatchObject({ result: { paid: true, answer: { note: 'as agreed' } } });
    expect(await alice.end(second!.id)).toMatchObject({ status: 'completed', result: { paid: false } });
    expect(of('GET', '/v1/me/queue')).toMatchObject([{ items: [{ heldBy: 'delay', priority: 5 }] }]);
    expect(of('PATCH', '/v1/schedules/$SCHEDULE')).toMatchObject([{ paused: true, timeZone: 'Europe/Berlin' }]);
    const [retried] = of('POST', '/v1/runs/$RUN/retry') as unknown as RunJson[];
    expect(await alice.end(retried!.id)).toMatchObject({ status: 'completed' });
    const again = socket.events.filter(({ runId, type }) => runId === retried!.id && type === 'step_started');
    expect(again).toEqual([]); // the step had finished, and was not done again
    expect(of('GET', '/v1/me/isolation')).toMatchObject([{ isolated: true }]);
  });
});
