/** The real server with so many users connected; runs are started over HTTP and awaited at their users' sockets. */
import { connectAll, inParallel, poster, startServer } from '../lib.mjs';

const AT = 100;
const body = { agent: 'thinker', input: { text: 'a short text about the sea' } };

export async function connectedServer(users) {
  const server = await startServer('carrel', { BENCH_SLOTS: '256', BENCH_MAX_RUNNING: '100' });
  const tokens = await server.tokens(Array.from({ length: users }, (_, i) => `user-${i}`));
  const waiting = Array.from({ length: users }, () => []);
  const sockets = await connectAll(
    server.url,
    tokens.map((token) => ({ token })),
    (user, type) => type === 'agent_completed' && waiting[user].shift()?.(),
  );
  const post = poster(server.url);
  let next = 0;
  return {
    /** Runs of the first `among` users in turn, going on after the last one's. Only the server's processor time counts. */
    async runs(count, among) {
      const before = await server.cpuUs();
      const began = performance.now();
      await inParallel(count, AT, async () => {
        const user = next++ % among;
        const ended = new Promise((resolve) => waiting[user].push(resolve));
        await post(body, tokens[user]);
        await ended;
      });
      const seconds = (performance.now() - began) / 1000;
      return { cpuUs: ((await server.cpuUs()) - before) / count, perSecond: count / seconds };
    },
    async stop() {
      for (const socket of sockets) socket.disconnect();
      await server.stop();
    },
  };
}
