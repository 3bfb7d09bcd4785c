/**
 * Clients of so few words that the servers are what is measured: Socket.IO's protocol over one WebSocket, of which no more is read
 * than the type of an event, and a bare WebSocket. Every server that is compared has the same client.
 */
import { WebSocket } from 'ws';

const EVENT = '42/agents,["';
const ACK = '43/agents,';

function open(url) {
  const socket = new WebSocket(url, { perMessageDeflate: false });
  socket.binaryType = 'nodebuffer';
  return socket;
}

/** @param onEvent hears of every event of a run: its type, and the packet it came in */
export function connectSocketIo(url, auth, onEvent) {
  const { promise, resolve, reject } = Promise.withResolvers();
  const socket = open(`${url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`);
  const acks = new Map();
  let nextAck = 0;
  socket.on('message', (data) => {
    const head = data.toString('latin1', 0, 48);
    if (head.startsWith(EVENT)) {
      const type = head.slice(EVENT.length, head.indexOf('"', EVENT.length));
      if (type.startsWith('agent_')) onEvent(type, data);
      else if (type === 'ready') resolve(client);
    } else if (head.startsWith(ACK)) {
      const id = Number.parseInt(head.slice(ACK.length), 10);
      acks.get(id)(data);
      acks.delete(id);
    } else if (head === '2') socket.send('3');
    else if (head.startsWith('0')) socket.send(`40/agents,${JSON.stringify(auth)}`);
    else if (head.startsWith('44')) reject(new Error(data.toString()));
  });
  socket.on('error', reject);
  const client = {
    socket,
    /** @param text the body as JSON */
    start: (text) =>
      new Promise((accepted, refused) => {
        const id = nextAck++;
        const onAck = (data) => (data.includes('"ok":true') ? accepted() : refused(new Error(data.toString())));
        acks.set(id, onAck);
        socket.send(`42/agents,${id}["run:start",${text}]`);
      }),
  };
  return promise;
}

export function connectWebSocket(url, { token }, onEvent) {
  return new Promise((resolve, reject) => {
    const socket = open(`${url}/?token=${token}`);
    socket.on('message', (data) => onEvent(undefined, data));
    socket.on('error', reject);
    socket.once('open', () => resolve({ socket }));
  });
}

/** Connects one after the other in groups: nobody's listen queue overflows. */
export async function connectMany(connect, url, auths, onEvent) {
  const clients = [];
  for (let from = 0; from < auths.length; from += 100) {
    const group = auths.slice(from, from + 100);
    clients.push(
      ...(await Promise.all(group.map((auth, i) => connect(url, auth, (type, data) => onEvent(from + i, type, data))))),
    );
  }
  return clients;
}

export function closeAll(clients) {
  for (const { socket } of clients) socket.terminate();
}
