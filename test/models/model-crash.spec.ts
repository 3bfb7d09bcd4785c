import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CarrelProcess } from '../carrel-process.js';
import { ModelsFile } from './model-server.js';
import { OpenAiDouble, type ChatReply } from './openai-double.js';

/** A promise and the function that fulfils it. */
function gate(): { opened: Promise<void>; open: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { opened: promise, open: resolve };
}

describe('a server that is killed (kill -9) while a model answers', () => {
  const dirs: string[] = [];
  afterAll(() => Promise.all(dirs.map((dir) => rm(dir, { recursive: true, force: true }))));

  it('does not ask again for answers that were whole, and asks again for the one that was not', async () => {
    const held = gate();
    let life = 1;
    await using double = await OpenAiDouble.start((body): ChatReply => {
      const turn = body.messages.filter(({ role }) => role === 'tool').length;
      if (turn < 2) return { text: `step ${turn} `, calls: [{ name: `no-tool-${turn}`, arguments: {} }] };
      return { text: ['All ', 'done'], ...(life === 1 && { hold: held.opened }) };
    });
    await using file = await ModelsFile.write(double);
    const dataDir = await mkdtemp(join(tmpdir(), 'carrel-model-crash-'));
    dirs.push(dataDir);
    const env = { CARREL_MODELS_FILE: file.path };
    let server = await CarrelProcess.start(dataDir, { env });
    const alice = await server.as('alice');
    const run = await alice.start('assistant', { text: 'Work' });
    const third = await double.request(({ body }) => body.messages.filter(({ role }) => role === 'tool').length === 2);
    const socket = await alice.connect({ after: 0 });
    await socket.until(
      ({ type, step, data }) => type === 'agent_message_delta' && step === '3:default' && 'text' in data,
    );
    await server.kill();
    expect(await third.over).toBe(true);
    life = 2;
    server = await CarrelProcess.start(dataDir, { env });
    const end = await (await server.as('alice')).end(run.id);
    expect(end).toMatchObject({ status: 'completed', result: { text: 'All done', calls: 3 } });
    expect(double.seen.map(({ body }) => body.messages.filter(({ role }) => role === 'tool').length)).toEqual([
      0, 1, 2, 2,
    ]);
    expect(double.seen[3]!.body.messages).toEqual(double.seen[2]!.body.messages);
    held.open();
    await server.stop();
  }, 60_000);
});
