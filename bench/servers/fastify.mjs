/** The bare door: a Fastify route that takes the same body and answers as briefly as it can. */
import Fastify from 'fastify';
import { reportTo } from './report.mjs';

const app = Fastify();
let n = 0;
app.post('/v1/runs', async (request, reply) => {
  reply.code(202);
  return { id: `run_${++n}`, status: 'queued', agent: request.body.agent };
});
await app.listen({ port: 0, host: '127.0.0.1' });
reportTo(process);
process.send({ url: `http://127.0.0.1:${app.server.address().port}` });
