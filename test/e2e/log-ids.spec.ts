import { Logger, Module } from '@nestjs/common';
import { z } from 'zod';
import { Agent } from '../../src/agents/agent.decorator.js';
import type { AgentProvider } from '../../src/agents/agent-provider.js';
import { EVENT_JOURNAL, type EventJournal } from '../../src/events/event-journal.port.js';
import { RUN_STORE, type RunStore } from '../../src/execution/run-store.port.js';
import { CarrelServer, type CarrelUser, isTerminal } from '../carrel-server.js';
import { ScriptedAgentsModule } from '../scripted-agents.module.js';

const Secret = z.object({ text: z.string() });

/** Writes what it was given to the log, in every way that a line can carry it. */
@Agent({ name: 'indiscreet', description: 'Logs its input', input: Secret, retry: { attempts: 1 } })
class IndiscreetAgent implements AgentProvider<z.output<typeof Secret>> {
  private readonly logger = new Logger('Indiscreet');

  run({ text }: z.output<typeof Secret>): Promise<never> {
    this.logger.log(`a message with ${text}`);
    this.logger.warn({ headers: { accept: text }, list: [{ text }] }, 'fields');
    throw new Error(`an error with ${text}`, { cause: new Error(text) });
  }
}

@Module({ imports: [ScriptedAgentsModule], providers: [IndiscreetAgent] })
class AgentsModule {}

type Line = Record<string, unknown>;

describe('every line of the log', () => {
  let server: CarrelServer;
  let alice: CarrelUser;
  let bob: CarrelUser;
  const log: string[] = [];
  const lines = (fits: (line: Line) => boolean) => log.map((text) => JSON.parse(text) as Line).filter(fits);

  beforeAll(async () => {
    server = await CarrelServer.start({
      agents: [AgentsModule],
      logLines: log,
      env: { CARREL_LOG_LEVEL: 'debug', CARREL_RUN_SLOTS: '1', CARREL_NO_PROGRESS_MS: '60000' },
    });
    [alice, bob] = await Promise.all([server.as('alice'), server.as('bob')]);
  });
  afterAll(() => server.close());
  beforeEach(() => log.splice(0));

  it("has the ids of alice's message when it fails inside, and those of bob's beside it", async () => {
    const [hers, his] = await Promise.all([alice.connect(), bob.connect()]);
    using _ = failing(server.app.get<RunStore>(RUN_STORE), 'submit', () => true);
    await Promise.all([hers, his].map((socket) => socket.emit('run:start', { agent: 'echo', input: {} })));
    const failed = lines(({ msg }) => msg === 'unexpected error');
    expect(failed.map(({ userId }) => String(userId)).toSorted()).toEqual(['alice', 'bob']);
    expect(new Set(failed.map(({ requestId }) => requestId)).size).toBe(2);
    for (const { requestId } of failed) expect(requestId).toMatch(/^req_/);
  });

  it('has the id of a handshake that fails inside', async () => {
    using _ = failing(server.app.get<EventJournal>(EVENT_JOURNAL), 'bounds', () => true);
    await expect(alice.connect()).rejects.toThrow(/support code/);
    expect(lines(({ msg }) => msg === 'unexpected error')).toEqual([
      expect.objectContaining({ requestId: expect.stringMatching(/^req_/) }),
    ]);
  });

  it("names alice on each of her streams that fails, while bob's run goes on", async () => {
    const { id } = await alice.start('echo', {});
    await alice.end(id);
    using _ = failing(server.app.get<EventJournal>(EVENT_JOURNAL), 'read', (userId) => userId === 'alice');
    const hers = await alice.connect({ after: 0 });
    const [notice] = await Promise.all([
      hers.notice('exception'),
      alice.http('GET', '/v1/stream', undefined, { 'x-request-id': 'her-stream' }),
      bob.start('echo', {}).then((run) => bob.end(run.id)),
    ]);
    expect(notice).toMatchObject({ code: 'internal' });
    expect(lines(({ level }) => level === 'error')).toEqual(
      expect.arrayContaining([
        expect.objectContaining({
          msg: 'unexpected error',
          userId: 'alice',
          requestId: expect.stringMatching(/^req_/),
        }),
        expect.objectContaining({ msg: 'a stream of events failed', userId: 'alice', requestId: 'her-stream' }),
      ]),
    );
  });

  it("has a run's own ids when its slot became free by the end of another user's", async () => {
    const [hers, his] = await Promise.all([alice.connect(), bob.connect()]);
    const { id: first } = await alice.start('wait', { ms: 30 });
    const { id: second } = await bob.start('echo', {});
    const claims = failing(server.app.get<RunStore>(RUN_STORE), 'claim', () => true);
    await hers.until((event) => event.runId === first && isTerminal(event));
    await until(() => lines(({ msg }) => msg === 'the storage failed; it is tried again').length > 0);
    claims[Symbol.dispose]();
    await his.until((event) => event.runId === second && isTerminal(event));
    for (const line of lines(({ msg }) => msg === 'the storage failed; it is tried again')) {
      expect(line).toMatchObject({ userId: 'bob', runId: second });
    }
    expect(lines(({ msg }) => msg === 'run ended').map(({ userId, runId }) => [userId, runId])).toEqual([
      ['alice', first],
      ['bob', second],
    ]);
  });

  it('has no token in it, wherever an agent put it', async () => {
    const { id } = await alice.start('indiscreet', { text: alice.token });
    await alice.end(id);
    const said = lines(({ context, msg }) => context === 'Indiscreet' || msg === 'the agent threw');
    expect(said.map(({ msg }) => msg)).toEqual(['a message with [redacted]', 'fields', 'the agent threw']);
    expect(log.join('')).not.toContain(alice.token.slice(0, 30));
    for (const line of said) expect(line).toMatchObject({ userId: 'alice', runId: id });
  });

  async function until(holds: () => boolean): Promise<void> {
    while (!holds()) await new Promise(setImmediate);
  }
});

/** Makes a method of the storage fail for those users, until it is disposed of. */
function failing<Port extends object>(
  port: Port,
  method: keyof Port & string,
  isMeant: (userId: unknown) => boolean,
): Disposable {
  const works = port[method] as (...args: unknown[]) => unknown;
  const fails = (...args: unknown[]) =>
    isMeant(args[0]) ? Promise.reject(new Error('the disk is gone')) : works.apply(port, args);
  Object.assign(port, { [method]: fails });
  return { [Symbol.dispose]: () => void Object.assign(port, { [method]: works }) };
}
