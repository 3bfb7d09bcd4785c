/** Bare Socket.IO that does nothing but emit to rooms, event by event. */
import { createServer } from 'node:http';
import { Server } from 'socket.io';
import { burstWith } from './emitters.mjs';
import { reportTo } from './report.mjs';

const http = createServer();
const server = new Server(http, { perMessageDeflate: false, serveClient: false });
const namespace = server.of('/agents');
namespace.on('connection', (socket) => {
  socket.join(`user:${socket.handshake.auth.token}`);
  socket.emit('ready', { seq: 0 });
});
burstWith((user, event) => namespace.to(`user:${user}`).emit(event.type, event));
http.listen(0, '127.0.0.1', () => {
  reportTo(process);
  process.send({ url: `http://127.0.0.1:${http.address().port}` });
});
