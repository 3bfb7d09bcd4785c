import { sequence } from './gateway-client.js';
import { follow, type Follower } from './gateway-follower.js';
import { turns, type ReadDelay } from './gateway-journal.js';
import { GatewayServer } from './gateway-server.js';

/** The same every time: a linear congruential generator. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

describe('delivery over sockets (I6)', () => {
  it('says ready first, with the newest seq, and then sends only what is new', async () => {
    await using server = await GatewayServer.start();
    server.journal.commit('alice', 5);
    const alice = await server.connect('alice');
    expect(alice.notices[0]).toEqual({ name: 'ready', data: { userId: 'alice', seq: 5 } });
    server.journal.commit('alice', 2);
    await alice.reached(7);
    expect(alice.seqs).toEqual([6, 7]);
  });

  it('sends everything after `after`, in order, and goes over to live events', async () => {
    await using server = await GatewayServer.start();
    server.journal.commit('alice', 500);
    const alice = await server.connect('alice', 3);
    expect(alice.events).toHaveLength(0);
    await alice.reached(500);
    server.journal.commit('alice', 3);
    await alice.reached(503);
    expect(alice.seqs).toEqual(sequence(4, 503));
  });

  it('names what retention has removed before the first event', async () => {
    await using server = await GatewayServer.start();
    server.journal.commit('alice', 10);
    server.journal.prune('alice', 6);
    const alice = await server.connect('alice', 2);
    await alice.reached(10);
    expect(alice.notices).toEqual([
      { name: 'ready', data: { userId: 'alice', seq: 10 } },
      { name: 'stream_gap', data: { from: 3, to: 6 } },
    ]);
    expect(alice.seqs).toEqual([7, 8, 9, 10]);
  });

  it('names a gap when retention removes events while they are being replayed', async () => {
    let slow = false;
    await using server = await GatewayServer.start({
      env: { CARREL_SOCKET_BACKLOG: '10' },
      delay: () => [slow ? 50 : 0, 0],
    });
    server.journal.commit('alice', 100);
    slow = true;
    const alice = await server.connect('alice', 0);
    await alice.reached(10);
    server.journal.prune('alice', 100);
    await alice.notice('stream_gap');
    server.journal.commit('alice', 1);
    await alice.reached(101);
    const gap = (await alice.notice('stream_gap')) as { from: number; to: number };
    expect(gap.to).toBe(100);
    expect(alice.seqs).toEqual([...sequence(1, gap.from - 1), 101]);
  });

  it('keeps alice and bob exact through random disconnects while events are produced, with two sockets each', async () => {
    const random = randomFrom(20_261);
    const delay: ReadDelay = () => [random(4), random(4)];
    await using server = await GatewayServer.start({ env: { CARREL_SOCKET_BACKLOG: '16' }, delay });
    const total = 3_000;
    const followers: Follower[] = [];
    const produce = async (user: string) => {
      while (server.journal.last(user) < total) {
        // Mostly what a live socket takes, and now and then more than its backlog.
        const burst = random(12) === 0 ? 40 : 1 + random(6);
        server.journal.commit(user, Math.min(burst, total - server.journal.last(user)));
        await turns(random(4));
        // The followers are to be live most of the time, not to replay what has long been there.
        const slowest = () => Math.min(...followers.map(({ position }) => position()));
        while (server.journal.last(user) - slowest() > 100) await turns(1);
      }
    };
    const users = ['alice', 'alice', 'bob', 'bob'];
    followers.push(...users.map((user) => follow(server, user, total, random)));
    await Promise.all([produce('alice'), produce('bob'), ...followers.map(({ done }) => done)]);
    for (const { seqs, cuts } of followers) {
      expect(seqs).toEqual(sequence(1, total));
      expect(cuts()).toBeGreaterThan(20);
    }
  });

  it('keeps live events of alice from bob, and those of bob from alice', async () => {
    await using server = await GatewayServer.start();
    const [alice, bob] = [await server.connect('alice'), await server.connect('bob', 0)];
    for (let i = 0; i < 50; i++) {
      server.journal.commit('alice', 2);
      server.journal.commit('bob', 1);
      await turns(1);
    }
    await Promise.all([alice.reached(100), bob.reached(50)]);
    expect(alice.thoughts).toEqual(sequence(1, 100).map((seq) => `alice ${seq} `));
    expect(bob.thoughts).toEqual(sequence(1, 50).map((seq) => `bob ${seq} `));
  });

  it('gives a client that only polls the same stream, live and replayed', async () => {
    await using server = await GatewayServer.start({ env: { CARREL_SOCKET_BACKLOG: '20' } });
    server.journal.commit('alice', 300);
    const polling = await server.connect('alice', 0, { transports: ['polling'] });
    for (let i = 0; i < 30; i++) {
      server.journal.commit('alice', 10);
      await turns(2);
    }
    await polling.reached(600);
    expect(polling.socket.io.engine.transport.name).toBe('polling');
    expect(polling.seqs).toEqual(sequence(1, 600));
  });

  it('loses nothing while a client upgrades from polling to WebSocket in the middle of its stream', async () => {
    await using server = await GatewayServer.start({ env: { CARREL_SOCKET_BACKLOG: '20' } });
    server.journal.commit('alice', 50);
    const transports = ['polling', 'websocket'];
    const alice = server.client({ token: await server.token('alice'), after: 0 }, { transports });
    alice.socket.connect();
    while (alice.socket.io.engine.transport.name === 'polling') {
      server.journal.commit('alice', 3);
      await turns(1);
    }
    server.journal.commit('alice', 30);
    await alice.reached(server.journal.last('alice'));
    expect(alice.seqs).toEqual(sequence(1, server.journal.last('alice')));
  });

  it('fills what the bus left out from the journal, for every socket of the user', async () => {
    await using server = await GatewayServer.start();
    const sockets = [await server.connect('alice'), await server.connect('alice')];
    server.journal.commit('alice', 2);
    server.journal.append('alice', 3);
    server.journal.commit('alice', 1);
    for (const socket of sockets) {
      await socket.reached(6);
      expect(socket.seqs).toEqual(sequence(1, 6));
    }
  });

  it('goes on for a new socket from where the journal is, when the bus is behind it', async () => {
    await using server = await GatewayServer.start();
    const live = await server.connect('alice');
    server.journal.append('alice', 4);
    const late = await server.connect('alice', 0);
    server.journal.commit('alice', 1);
    for (const socket of [live, late]) {
      await socket.reached(5);
      expect(socket.seqs).toEqual(sequence(1, 5));
    }
  });

  it('repeats from any position on stream:resume, and says what follows', async () => {
    await using server = await GatewayServer.start();
    server.journal.commit('alice', 300);
    const alice = await server.connect('alice');
    expect(await alice.send('stream:resume', { after: 100 })).toEqual({ ok: true, data: { from: 101, to: 300 } });
    await alice.reached(300);
    server.journal.commit('alice', 1);
    await alice.reached(301);
    expect(alice.seqs).toEqual(sequence(101, 301));
    server.journal.prune('alice', 299);
    expect(await alice.send('stream:resume', { after: 0 })).toEqual({ ok: true, data: { from: 300, to: 301 } });
    expect(await alice.notice('stream_gap')).toEqual({ from: 1, to: 299 });
    server.journal.commit('alice', 1);
    await alice.reached(302);
    expect(alice.seqs.slice(-3)).toEqual([300, 301, 302]);
    expect(await alice.send('stream:resume', { after: 302 })).toEqual({ ok: true, data: { from: 303, to: 302 } });
    expect(await alice.send('stream:resume', { after: 303 })).toMatchObject({
      ok: false,
      error: { code: 'invalid_request' },
    });
  });

  it('ends only the replay that a later stream:resume has replaced', async () => {
    await using server = await GatewayServer.start({ env: { CARREL_SOCKET_BACKLOG: '10' } });
    server.journal.commit('alice', 400);
    const alice = await server.connect('alice', 0);
    const [first, second] = await Promise.all([
      alice.send('stream:resume', { after: 200 }),
      alice.send('stream:resume', { after: 350 }),
    ]);
    expect([first.data, second.data]).toEqual([
      { from: 201, to: 400 },
      { from: 351, to: 400 },
    ]);
    await alice.reached(400);
    server.journal.commit('alice', 1);
    await alice.reached(401);
    expect(alice.seqs.slice(-51)).toEqual(sequence(351, 401));
  });

  it('ends a connection whose journal fails, so that the client resumes elsewhere', async () => {
    await using server = await GatewayServer.start();
    server.journal.commit('alice', 3);
    const alice = await server.connect('alice');
    server.journal.failure = new Error('disk: /secret/path');
    server.journal.append('alice', 1);
    server.journal.commit('alice', 1);
    const exception = (await alice.notice('exception')) as { code: string; message: string };
    expect(exception.code).toBe('internal');
    expect(JSON.stringify(exception)).not.toContain('secret');
    await alice.disconnected();
    server.journal.failure = undefined;
    const again = await server.connect('alice', 3);
    await again.reached(5);
    expect(again.seqs).toEqual([4, 5]);
  });
});
