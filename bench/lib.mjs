import { fork } from 'node:child_process';
import { once } from 'node:events';
import { request as httpRequest, Agent as HttpAgent } from 'node:http';
import { cpus } from 'node:os';
import { io } from 'socket.io-client';

/** A server in a process of its own, so that its processor time is its own. */
export async function startServer(name, env = {}) {
  const child = fork(new URL(`./servers/${name}.mjs`, import.meta.url), {
    execArgv: ['--expose-gc'],
    env: { ...process.env, ...env },
  });
  const [{ url }] = await once(child, 'message');
  const ask = async (message) => {
    child.send(message);
    const [answer] = await once(child, 'message');
    return answer;
  };
  return {
    url,
    /** Processor time since it began, in microseconds. */
    cpuUs: async () => (await ask({ ask: 'cpu' })).cpuUs,
    /** What is on its heap when all garbage is collected. */
    heap: () => ask({ ask: 'heap' }),
    ask: (what) => ask({ ask: what }),
    send: ask,
    /** Asks for no answer. */
    tell: (message) => child.send(message),
    tokens: async (users) => (await ask({ tokensFor: users })).tokens,
    async stop() {
      child.send({ ask: 'stop' });
      await once(child, 'exit');
    },
  };
}

export function poster(url, maxSockets = 64) {
  const agent = new HttpAgent({ keepAlive: true, maxSockets });
  const { hostname, port } = new URL(url);
  return (body, token) =>
    new Promise((resolve, reject) => {
      const text = JSON.stringify(body);
      const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) };
      if (token) headers.authorization = `Bearer ${token}`;
      const req = httpRequest({ agent, hostname, port, path: '/v1/runs', method: 'POST', headers }, (res) => {
        let answer = '';
        res.on('data', (chunk) => (answer += chunk));
        res.on('end', () =>
          res.statusCode === 202 ? resolve(answer) : reject(new Error(`${res.statusCode} ${answer}`)),
        );
      });
      req.on('error', reject);
      req.end(text);
    });
}

/** Connected sockets, one per user; `onEvent(userIndex, type)` hears every event. */
export async function connectAll(url, auths, onEvent) {
  const sockets = [];
  for (let from = 0; from < auths.length; from += 200) {
    const batch = auths.slice(from, from + 200).map((auth, i) => connect(url, auth, (type) => onEvent(from + i, type)));
    sockets.push(...(await Promise.all(batch)));
  }
  return sockets;
}

function connect(url, auth, onEvent) {
  return new Promise((resolve, reject) => {
    const socket = io(`${url}/agents`, { auth, transports: ['websocket'], reconnection: false, forceNew: true });
    socket.once('connect_error', reject);
    socket.once('ready', () => resolve(socket));
    socket.onAny((type) => type.startsWith('agent_') && onEvent(type));
  });
}

/** Keeps `concurrency` tasks going until `total` are done. */
export async function inParallel(total, concurrency, task) {
  let next = 0;
  await Promise.all(
    Array.from({ length: Math.min(concurrency, total) }, async () => {
      while (next < total) await task(next++);
    }),
  );
}

export function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  return (sorted[Math.floor((sorted.length - 1) / 2)] + sorted[Math.floor(sorted.length / 2)]) / 2;
}

export function heading() {
  return `Node ${process.version}, ${cpus().length} × ${cpus()[0].model}`;
}
