/** Bare `ws` that does nothing but send, event by event, to all sockets of a user: serialised once for all of them. */
import { WebSocketServer } from 'ws';
import { burstWith } from './emitters.mjs';
import { reportTo } from './report.mjs';

const rooms = new Map();
const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false });
server.on('connection', (socket, request) => {
  const user = new URL(request.url, 'http://localhost').searchParams.get('token');
  rooms.set(user, [...(rooms.get(user) ?? []), socket]);
  socket.on('close', () => {
    const left = rooms.get(user).filter((other) => other !== socket);
    rooms.set(user, left);
  });
});
burstWith((user, event) => {
  const text = JSON.stringify(event);
  for (const socket of rooms.get(user) ?? []) socket.send(text);
});
server.on('listening', () => {
  reportTo(process);
  process.send({ url: `ws://127.0.0.1:${server.address().port}` });
});
