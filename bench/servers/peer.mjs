/**
 * The same doors as Carrel's, of Nest, Fastify and Socket.IO, and the run done by a framework that keeps nothing: `BENCH_PEER` names
 * it. Whoever holds a token is that user, without any check; events go to the user's room, event by event.
 */
import 'reflect-metadata';
import { Body, Controller, Headers, HttpCode, Module, Post } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Server } from 'socket.io';
import { completed, envelope, thought } from './envelope.mjs';
import { reportTo } from './report.mjs';

const EVENTS = 6;
const { carryOut } = await import(`../door/${process.env.BENCH_PEER}.mjs`);
let runs = 0;
let namespace;

function start(user, { input }) {
  const runId = `run_${String(++runs).padStart(26, '0')}`;
  setImmediate(() => void run(user, runId, input)); // as elsewhere: it is accepted, then it runs
  return { id: runId, status: 'queued', agent: 'thinker' };
}

async function run(user, runId, input) {
  const emit = (event) => namespace.to(`user:${user}`).emit(event.type, event);
  const data = { status: 'started', isolated: true, agent: 'thinker', input };
  emit(envelope('agent_started', runId, 1, data));
  let step = 0;
  await carryOut(input.text, () => emit(thought(runId, input.text, ++step)));
  if (step !== EVENTS - 2) throw new Error(`${step} thoughts`);
  emit(completed(runId, input.text, EVENTS));
}

class Runs {
  create(authorization, body) {
    return start(authorization.slice('Bearer '.length), body);
  }
}
const create = Object.getOwnPropertyDescriptor(Runs.prototype, 'create');
Headers('authorization')(Runs.prototype, 'create', 0);
Body()(Runs.prototype, 'create', 1);
Post()(Runs.prototype, 'create', create);
HttpCode(202)(Runs.prototype, 'create', create);
Controller('v1/runs')(Runs);
class Peer {}
Module({ controllers: [Runs] })(Peer);

const app = await NestFactory.create(Peer, new FastifyAdapter(), { logger: false });
await app.init();
namespace = new Server(app.getHttpServer(), { perMessageDeflate: false, serveClient: false }).of('/agents');
namespace.on('connection', (socket) => {
  const user = socket.handshake.auth.token;
  socket.join(`user:${user}`);
  socket.emit('ready', { seq: 0 });
  socket.on('run:start', (body, ack) => ack({ ok: true, run: start(user, body) }));
});
await app.listen(0, '127.0.0.1');
reportTo(process);
process.send({ url: await app.getUrl() });
