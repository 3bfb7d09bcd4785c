/** DBOS Transact: a workflow of one step that does nothing, on PostgreSQL. */
import { DBOS } from '@dbos-inc/dbos-sdk';
import { reportTo } from './report.mjs';

const step = async (text) => ({ text, words: 3 });
const workflow = DBOS.registerWorkflow((text) => DBOS.runStep(() => step(text), { name: 'think' }), {
  name: 'thinker',
});
DBOS.setConfig({
  name: 'bench',
  systemDatabaseUrl: process.env.BENCH_DATABASE_URL,
  logLevel: 'error',
  runAdminServer: false,
});
await DBOS.launch();

reportTo(process);
process.on('message', async ({ runs, concurrency }) => {
  if (!runs) return;
  let next = 0;
  const one = async () => {
    while (next++ < runs) await workflow('a short text about the sea');
  };
  await Promise.all(Array.from({ length: concurrency }, one));
  process.send({ done: true });
});
process.send({ url: 'dbos' });
