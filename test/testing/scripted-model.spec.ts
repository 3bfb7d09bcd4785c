import type { Type } from '@nestjs/common';
import type { GivenModels } from '../../src/index.js';
import { scriptedModel } from '../../src/testing/scripted-model.js';
import { CarrelServer, type CarrelUser } from '../carrel-server.js';
import { DeskModule, DeskTools } from '../models/model-agents.module.js';
import { ModelsFile } from '../models/model-server.js';
import { OpenAiDouble } from '../models/openai-double.js';

describe('carrel/testing', () => {
  async function world(models: GivenModels, agents: readonly Type[] = [DeskModule]) {
    const server = await CarrelServer.start({ agents, models, env: { CARREL_RETRY_BASE_MS: '1' } });
    return { server, alice: await server.as('alice') };
  }
  const ends = async (user: CarrelUser, agent: string, text: string) =>
    user.end((await user.start(agent, { text })).id);

  it('has a real server’s agents talk with a model that follows a script', async () => {
    const model = scriptedModel([
      { reasoning: 'I have to add', calls: [{ tool: 'app/add', input: { a: 2, b: 3 } }] },
      ({ prompt }) => ({ text: ['It is ', JSON.stringify(prompt.at(-1)).includes('"5"') ? '5' : 'unknown'] }),
    ]);
    const { server, alice } = await world({ default: model });
    expect(await ends(alice, 'adder', 'What is 2 + 3?')).toMatchObject({
      status: 'completed',
      result: { text: 'It is 5' },
    });
    expect(server.app.get(DeskTools).added).toEqual([{ a: 2, b: 3 }]);
    model.verify();
    expect(model.requests).toHaveLength(2);
    await server.close();
  });

  it('fails a call that is not in the script, once, and says so', async () => {
    const model = scriptedModel([]);
    const { server, alice } = await world({ default: model });
    expect(await ends(alice, 'assistant', 'Hi')).toMatchObject({ status: 'failed', error: { code: 'model_refused' } });
    expect(() => model.verify()).toThrow('call 1 is not in the script, which has 0');
    await server.close();
  });

  it('says which calls of the script were never made, also at the end of a block', async () => {
    expect(() => {
      using _model = scriptedModel([{ text: 'Hi' }, { text: 'Ho' }]);
    }).toThrow('2 of 2 calls were never made');
  });

  it('says which tool the model was not offered', async () => {
    const model = scriptedModel([{ calls: [{ tool: 'app/note', input: { word: 'x' } }] }]);
    const { server, alice } = await world({ default: model });
    expect(await ends(alice, 'adder', 'Note x')).toMatchObject({ status: 'failed', error: { code: 'model_refused' } });
    expect(() => model.verify()).toThrow('the model was not offered app/note (offered: add)');
    await server.close();
  });

  it('fails, breaks off and is slow as the script says', async () => {
    const model = scriptedModel([
      { status: 429, retryAfterMs: 2 },
      { text: 'Hal', breaksOff: true },
      { text: 'Hello' },
      { text: ['One', ' two'], waitFor: new Promise(() => undefined) },
    ]);
    const { server, alice } = await world({ default: model });
    expect(await ends(alice, 'assistant', 'Hi')).toMatchObject({ status: 'completed', result: { text: 'Hello' } });
    const run = await alice.start('assistant', { text: 'Hi' });
    const socket = await alice.connect({ after: 0 });
    await socket.until(({ runId, type }) => runId === run.id && type === 'agent_message_delta');
    const { body } = await alice.http('POST', `/v1/runs/${run.id}/cancel?wait=true`);
    expect(body).toMatchObject({ status: 'cancelled' });
    model.verify();
    await server.close();
  });

  it('stands in for a model of the configuration, which keeps its price', async () => {
    await using double = await OpenAiDouble.start(() => ({ text: 'from the provider' }));
    const price = { input: 1_000, output: 2_000 };
    const models = { default: { provider: 'local', model: 'm', price } };
    await using file = await ModelsFile.write(double, { models });
    using model = scriptedModel([{ text: 'from the script', usage: { inputTokens: 100, outputTokens: 10 } }]);
    await using server = await CarrelServer.start({
      models: { default: model },
      env: { CARREL_MODELS_FILE: file.path },
    });
    const end = await ends(await server.as('alice'), 'assistant', 'Hi');
    expect(end.result).toMatchObject({ text: 'from the script', usage: { usd: 0.12 } });
    expect(double.seen).toEqual([]);
  });
});
