import { sequence, type GatewayClient } from './gateway-client.js';
import { turns } from './gateway-journal.js';
import { GatewayServer } from './gateway-server.js';

describe('a slow reader (I6, I13)', () => {
  it('costs a bounded amount of memory, holds up nobody, and gets everything when it reads again', async () => {
    await using server = await GatewayServer.start({
      env: { CARREL_SOCKET_BACKLOG: '50', CARREL_EVENT_DATA_BYTES: '4096' },
    });
    const slow: GatewayClient = await server.connect('alice');
    const quick = await server.connect('alice');
    const bob = await server.connect('bob');
    slow.tcp.pause();
    let most = 0;
    const total = 20_000;
    while (server.journal.last('alice') < total) {
      server.journal.commit('alice', 20, 1_000);
      server.journal.commit('bob', 1);
      await quick.reached(server.journal.last('alice'));
      most = Math.max(most, waitingIn(server));
    }
    expect(most).toBeLessThan(400_000);
    expect(slow.position).toBeLessThan(total);
    slow.tcp.resume();
    server.journal.commit('alice', 10);
    for (const [client, user] of [
      [slow, 'alice'],
      [quick, 'alice'],
      [bob, 'bob'],
    ] as const) {
      await client.reached(server.journal.last(user));
      expect(client.seqs).toEqual(sequence(1, server.journal.last(user)));
    }
  });

  it('does not hold up the shutdown, and those who read get what was sent before it', async () => {
    const server = await GatewayServer.start();
    const slow = await server.connect('alice');
    const quick = await server.connect('bob');
    slow.tcp.pause();
    for (let i = 0; i < 200; i++) {
      server.journal.commit('alice', 100, 1_000);
      await turns(1);
    }
    server.journal.commit('bob', 50);
    const startedAt = performance.now();
    await server.app.close();
    expect(performance.now() - startedAt).toBeLessThan(5_000);
    await quick.disconnected();
    expect(quick.seqs).toEqual(sequence(1, 50));
    slow.tcp.destroy();
  });

  it('is back in its room when it has caught up', async () => {
    await using server = await GatewayServer.start({ env: { CARREL_SOCKET_BACKLOG: '5' } });
    const alice = await server.connect('alice');
    const room = () => server.io.of('/agents').adapter.rooms.get('user:alice')?.size ?? 0;
    server.journal.commit('alice', 100);
    expect(room()).toBe(0);
    await alice.reached(100);
    await turns(20);
    expect(room()).toBe(1);
    const { reads } = server.journal;
    server.journal.commit('alice', 1);
    await alice.reached(101);
    expect(server.journal.reads).toBe(reads);
    expect(alice.seqs).toEqual(sequence(1, 101));
  });
});

/** About how many bytes wait for the slowest of all clients. */
function waitingIn(server: GatewayServer): number {
  const waiting = Array.from(server.io.of('/agents').sockets.values(), ({ conn }) => {
    const { writeBuffer, transport } = conn as unknown as {
      writeBuffer: unknown[];
      transport: { socket: { bufferedAmount: number } };
    };
    return writeBuffer.length * 1_300 + transport.socket.bufferedAmount;
  });
  return Math.max(...waiting);
}
