import { ModelServer } from './model-server.js';

describe('assistant', () => {
  let world: ModelServer;
  beforeAll(async () => {
    world = await ModelServer.start({});
  });
  afterAll(async () => {
    await world[Symbol.asyncDispose]();
  });

  it('answers', async () => {
    const alice = await world.server.as('alice');
    const run = await alice.start('assistant', { text: 'Hi' });
    const socket = await alice.connect({ after: 0 });
    const end = await alice.end(run.id);
    console.log(
      JSON.stringify(end),
      JSON.stringify(socket.events, null, 1),
      JSON.stringify(world.double.seen[0]?.body),
    );
    expect(end.status).toBe('completed');
  });
});
