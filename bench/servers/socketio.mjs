/** Bare Socket.IO: on a message of a client, emits so many events of the same size to that user's room, one by one. */
import { createServer } from 'node:http';
import { Server } from 'socket.io';
import { reportTo } from './report.mjs';

const http = createServer();
const server = new Server(http, { perMessageDeflate: false, serveClient: false });
const namespace = server.of('/agents');
let seq = 0;
namespace.on('connection', (socket) => {
  const room = `user:${socket.handshake.auth.user}`;
  socket.join(room);
  socket.emit('ready', { seq: 0 });
  socket.on('go', (events) => {
    for (const event of events) namespace.to(room).emit(event.type, { ...event, seq: ++seq });
  });
});
http.listen(0, '127.0.0.1', () => {
  reportTo(process);
  process.send({ url: `http://127.0.0.1:${http.address().port}` });
});
