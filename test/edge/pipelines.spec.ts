import { Module } from '@nestjs/common';
import { z } from 'zod';
import type { AgentProvider } from '../../src/agents/agent-provider.js';
import { Agent } from '../../src/agents/agent.decorator.js';
import type { PipelineBuilder } from '../../src/execution/pipeline/pipeline-builder.js';
import type { PipelineProvider } from '../../src/execution/pipeline/pipeline-provider.js';
import { Pipeline } from '../../src/execution/pipeline/pipeline.decorator.js';
import { CarrelServer, type CarrelUser } from '../carrel-server.js';
import { DocumentedClient } from './documented-client.js';

const Text = z.object({ text: z.string() });

@Agent({ name: 'shout', description: 'Shouts', input: Text })
class ShoutAgent implements AgentProvider<z.output<typeof Text>> {
  async run({ text }: z.output<typeof Text>) {
    return { text: text.toUpperCase() };
  }
}

@Pipeline({ name: 'shout-twice', description: 'Shouts, and shouts again', input: Text })
class ShoutTwice implements PipelineProvider<z.output<typeof Text>> {
  define(pipeline: PipelineBuilder<z.output<typeof Text>>) {
    const first = pipeline.agent('first', ShoutAgent, { input: ({ input }) => input });
    const second = pipeline.agent('second', ShoutAgent, {
      dependsOn: { first },
      input: (known) => ({ text: `${known.first.text}!` }),
    });
    return pipeline.output(second);
  }
}

@Module({ providers: [ShoutAgent, ShoutTwice] })
class ShoutModule {}

let server: CarrelServer;
let client: DocumentedClient;
let alice: CarrelUser;

beforeAll(async () => {
  server = await CarrelServer.start({ agents: [ShoutModule] });
  client = await DocumentedClient.of(server);
  alice = await server.as('alice');
});
afterAll(() => server.close());

describe('/v1/pipelines', () => {
  it('shows what can be run by name, with its input and its steps', async () => {
    const { body } = await client.call('get', '/v1/pipelines', { token: alice.token });
    const items = (body as { items: { name: string }[] }).items;
    const own = items.find(({ name }) => name === 'shout-twice');
    expect(own).toMatchObject({
      description: 'Shouts, and shouts again',
      inputSchema: { type: 'object', required: ['text'] },
      steps: [
        { name: 'first', kind: 'agent', dependsOn: [] },
        { name: 'second', kind: 'agent', dependsOn: ['first'] },
      ],
    });
    expect((await client.call('get', '/v1/pipelines/shout-twice', { token: alice.token })).body).toEqual(own);
    for (const name of ['nobody', 'constructor', '__proto__', 'shout']) {
      const { body: none } = await client.call('get', `/v1/pipelines/${name}`, { token: alice.token });
      expect(none).toMatchObject({ status: 404, code: 'not_found' });
    }
  });

  it('runs one by its name, and shows the name in the run', async () => {
    const request = { pipeline: 'shout-twice', input: { text: 'hey' } };
    const { status, body } = await client.call('post', '/v1/runs', {
      token: alice.token,
      body: request,
      headers: { prefer: 'wait=20' },
    });
    expect([status, body]).toEqual([200, expect.objectContaining({ status: 'completed', pipeline: 'shout-twice' })]);
    expect(body).not.toHaveProperty('agent');
    expect(body).not.toHaveProperty('spec');
    expect(JSON.stringify((body as { result: unknown }).result)).toContain('HEY!');
    const wrong = await client.call('post', '/v1/runs', {
      token: alice.token,
      body: { ...request, input: { text: 7 } },
    });
    expect(wrong.body).toMatchObject({ status: 422, code: 'invalid_input' });
  });
});
