import type { RunEvent } from '../../src/events/run-event.js';
import type { SampleReply } from '../../src/execution/tools/tool-source.port.js';
import { isCarrelError } from '../../src/shared/errors.js';
import { scriptedModel } from '../../src/testing/scripted-model.js';
import { CarrelServer } from '../carrel-server.js';
import { publicServer } from '../mcp/mcp-host.js';
import { McpWorld, ofType } from '../mcp/mcp-world.js';
import { moduleWith, OtherTools, textResult } from '../tools/other-tools.js';

describe('a tool that asks for a model', () => {
  it('is answered by the default one, as a step inside its own, which only the run’s usage tells of', async () => {
    let reply: SampleReply | undefined;
    const source = new OtherTools({
      writer: () => [
        {
          tool: 'rhyme',
          async does(_context, _args, call) {
            reply = await call.sample!({
              system: 'You rhyme.',
              messages: [{ role: 'user', text: 'cat' }],
              maxTokens: 7,
              stopSequences: ['END'],
            });
            return textResult(`rhyme: ${reply.text}`);
          },
        },
      ],
    });
    using model = scriptedModel([
      { calls: [{ tool: 'writer/rhyme' }] },
      { text: 'hat', finish: 'length', usage: { inputTokens: 3, outputTokens: 7 } },
      { text: 'It is hat' },
    ]);
    await using server = await CarrelServer.start({ agents: [moduleWith(source)], models: { default: model } });
    const alice = await server.as('alice');
    const run = await alice.start('assistant', { text: 'Rhyme' });
    const end = await alice.end(run.id);
    expect(end).toMatchObject({
      status: 'completed',
      result: { text: 'It is hat' },
      usage: { inputTokens: 23, outputTokens: 17 },
    });
    expect(reply).toEqual({ model: 'default', text: 'hat', stopReason: 'maxTokens' });
    expect(model.requests[1]).toMatchObject({
      maxOutputTokens: 7,
      stopSequences: ['END'],
      prompt: [{ content: 'You rhyme.' }, {}],
    });
    expect(model.requests[1]).not.toHaveProperty('tools');
    const { body } = await alice.http<{ items: RunEvent[] }>('GET', `/v1/runs/${run.id}/events`);
    const deltas = body.items.filter(({ type }) => type === 'agent_message_delta').map(({ data }) => data);
    expect(deltas).toEqual([{ text: 'It is hat' }]);
    expect(body.items.filter(({ type }) => type === 'step_started').map(({ step }) => step)).toEqual([
      '1:default',
      '2:writer.rhyme/1:default',
      '3:default',
    ]);
  });

  it('hears why there is no answer when the provider refuses', async () => {
    const codes: unknown[] = [];
    const source = new OtherTools({
      writer: () => [
        {
          tool: 'rhyme',
          async does(_context, _args, { sample }) {
            if (!sample) return textResult('no model');
            const messages = [{ role: 'user' as const, text: 'cat' }];
            await sample({ messages, maxTokens: 7 }).catch((error: unknown) =>
              codes.push(isCarrelError(error) && error.code),
            );
            return textResult('no rhyme');
          },
        },
      ],
    });
    using model = scriptedModel([{ calls: [{ tool: 'writer/rhyme' }] }, { status: 401 }, { text: 'Sorry' }]);
    await using server = await CarrelServer.start({ agents: [moduleWith(source)], models: { default: model } });
    const alice = await server.as('alice');
    const end = await alice.end((await alice.start('assistant', { text: 'Rhyme' })).id);
    expect(end).toMatchObject({ status: 'completed', result: { text: 'Sorry' } });
    expect(codes).toEqual(['model_refused']);
  });

  it('may be a public MCP server: it is offered the model, and hears its answer', async () => {
    using model = scriptedModel([{ text: 'A haiku about carrels', usage: { inputTokens: 3, outputTokens: 7 } }]);
    await using world = await McpWorld.start(
      { everything: publicServer('everything') },
      { toolPolicy: { trust: [{}] }, models: { default: model } },
    );
    const { run, results, events } = await world.calls(world.alice, [
      { server: 'everything', tool: 'trigger-sampling-request', args: { prompt: 'Write a haiku', maxTokens: 20 } },
    ]);
    expect(results).toMatchObject([{ text: expect.stringContaining('A haiku about carrels') }]);
    expect(run).toMatchObject({ usage: { inputTokens: 3, outputTokens: 7 } });
    expect(JSON.stringify(model.requests[0]!.prompt)).toContain('Write a haiku');
    expect(ofType(events, 'tool_completed')).toMatchObject([{ outcome: 'ok' }]);
  });
});
