import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { draftEvent } from '../../src/events/run-event.js';
import type { RunRecord } from '../../src/execution/run-store.port.js';
import type { RunId, UserId } from '../../src/shared/ids.js';
import { systemClock } from '../../src/shared/clock.js';
import { SqliteStorage } from '../../src/storage/sqlite/sqlite-storage.js';
import { CarrelServer, isTerminal, type RecordingSocket } from '../carrel-server.js';
import { alice, bob, executing, newRun, opening, RUN_ERROR, ROOMY } from '../contracts/storage-world.js';
import { ScriptedAgentsModule } from '../scripted-agents.module.js';

describe('a server that starts where another one died', () => {
  let dataDir: string;
  let dead: SqliteStorage;
  let server: CarrelServer | undefined;
  let log: string[];

  beforeEach(async () => {
    log = [];
    dataDir = await mkdtemp(join(tmpdir(), 'carrel-recovery-'));
    dead = new SqliteStorage({ dir: dataDir, sync: 'normal' }, systemClock);
  });

  afterEach(async () => {
    await server?.close();
    server = undefined;
    await rm(dataDir, { recursive: true, force: true });
  });

  /** A run that the dead process had begun. */
  async function begun(userId: UserId, agent: string, input: object = {}): Promise<RunRecord> {
    const run = newRun({ agent, input: input as never, createdAtMs: systemClock.now() });
    await dead.runs.submit(userId, run, ROOMY);
    return (await dead.runs.claim(userId, run.id, opening))!;
  }

  /** Starts the server on what the dead one has left behind, and listens as that user. */
  async function arise(userId: string): Promise<RecordingSocket> {
    dead.close();
    const env = { CARREL_LOG_LEVEL: 'info' };
    server ??= await CarrelServer.start({ agents: [ScriptedAgentsModule], dataDir, env, logLines: log });
    return (await server.as(userId)).connect({ after: 0 });
  }

  const endOf = (socket: RecordingSocket, id: RunId) =>
    socket.until((event) => event.runId === id && isTerminal(event));
  const shortly = ({ events }: RecordingSocket, id: RunId) =>
    events.filter(({ runId }) => runId === id).map(({ type, attempt }) => `${type} ${attempt}`);

  it('goes on with the attempt after the last one that anybody was told of', async () => {
    const run = await begun(alice, 'echo', { text: 'x' });
    const error = { ...RUN_ERROR };
    const facts = { attempt: 3, atMs: systemClock.now() };
    const retrying = draftEvent('agent_retrying', { attempt: 3, delayMs: 1, error }, facts);
    await dead.journal.append(alice, run.id, run.fence, [retrying]);
    const socket = await arise('alice');
    await endOf(socket, run.id);
    expect(shortly(socket, run.id)).toEqual([
      'agent_started 1',
      'agent_retrying 3',
      'agent_retrying 4',
      'agent_thinking 4',
      'tool_executing 4',
      'tool_completed 4',
      'agent_completed 4',
    ]);
  });

  it('runs an idempotent agent again even if one attempt is all it has when it fails', async () => {
    const run = await begun(alice, 'once-more', { failures: 0 });
    const socket = await arise('alice');
    expect(await endOf(socket, run.id)).toMatchObject({ type: 'agent_completed', attempt: 2 });
  });

  it('closes the calls that were open, then ends a run that must not be run twice', async () => {
    const run = await begun(bob, 'wait-once');
    await dead.journal.append(bob, run.id, run.fence, [executing('call_1', 'dig'), executing('call_2', 'dig')]);
    const socket = await arise('bob');
    expect(await endOf(socket, run.id)).toMatchObject({ data: { status: 'failed', error: { code: 'interrupted' } } });
    const closed = socket.events.flatMap((event) => (event.type === 'tool_completed' ? [event.data] : []));
    expect(closed.map(({ callId, outcome }) => `${callId} ${outcome}`)).toEqual(['call_1 error', 'call_2 error']);
  });

  it('ends a run that somebody had wanted cancelled as cancelled, whatever its agent says of running again', async () => {
    const run = await begun(alice, 'wait', { ms: 60_000 });
    await dead.runs.requestCancel(alice, run.id, 'alice', opening, ROOMY);
    const socket = await arise('alice');
    expect(await endOf(socket, run.id)).toMatchObject({
      type: 'agent_cancelled',
      data: { by: 'alice', forced: false },
    });
  });

  it('ends runs whose agent is gone, those that ran and those that waited', async () => {
    const ran = await begun(alice, 'of-yesterday');
    const waited = newRun({ agent: 'of-yesterday', createdAtMs: systemClock.now() });
    await dead.runs.submit(bob, waited, ROOMY);
    const [hers, his] = [await arise('alice'), await arise('bob')];
    expect(await endOf(hers, ran.id)).toMatchObject({ data: { status: 'failed', error: { code: 'interrupted' } } });
    expect(await endOf(his, waited.id)).toMatchObject({ data: { status: 'failed', error: { code: 'unknown_agent' } } });
    const ended = log
      .map((line) => JSON.parse(line) as Record<string, unknown>)
      .filter(({ msg }) => msg === 'run ended');
    expect(ended.map(({ userId, runId }) => `${String(userId)} ${String(runId)}`).toSorted()).toEqual([
      `alice ${ran.id}`,
      `bob ${waited.id}`,
    ]);
    expect(server!.held).toEqual({ liveContexts: 0, active: 0 });
  });

  it('does not begin a run for ever that may be what ends the process', async () => {
    let run = await begun(alice, 'echo');
    for (let crashes = 0; crashes < 10; crashes++) {
      const { fence } = (await dead.runs.takeOver(alice, run.id, run.fence))!;
      await dead.runs.requeue(alice, run.id, fence);
      run = (await dead.runs.claim(alice, run.id, opening))!;
    }
    const harmless = await begun(bob, 'echo');
    const [hers, his] = [await arise('alice'), await arise('bob')];
    expect(await endOf(hers, run.id)).toMatchObject({ data: { status: 'failed', error: { code: 'interrupted' } } });
    expect(await endOf(his, harmless.id)).toMatchObject({ type: 'agent_completed' });
  });

  it('gives no time again to a run whose deadline passed while there was no server', async () => {
    const long = systemClock.now() - 3_600_000;
    const run = newRun({ agent: 'echo', input: {}, createdAtMs: long });
    dead.close();
    dead = new SqliteStorage({ dir: dataDir, sync: 'normal' }, { ...systemClock, now: () => long });
    await dead.runs.submit(alice, run, ROOMY);
    await dead.runs.claim(alice, run.id, opening);
    const socket = await arise('alice');
    expect(await endOf(socket, run.id)).toMatchObject({
      data: { status: 'timed_out', error: { code: 'run_timed_out' } },
    });
    expect(shortly(socket, run.id)).toEqual(['agent_started 1', 'agent_retrying 2', 'agent_error 2']);
  });
});
