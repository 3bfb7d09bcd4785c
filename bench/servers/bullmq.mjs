/** BullMQ carrying jobs that do nothing, from this process to itself: what a queue alone costs. */
import { createRequire } from 'node:module';
import { reportTo } from './report.mjs';

const { Queue, Worker } = createRequire(new URL('../../dist/index.js', import.meta.url))('bullmq');
const connection = { url: process.env.BENCH_REDIS_URL, maxRetriesPerRequest: null };
const name = `bench-${process.pid}`;
const queue = new Queue(name, { connection });
const ends = new Map();
const worker = new Worker(name, async (job) => ends.get(job.data.n)?.(), { connection, concurrency: 100 });
await worker.waitUntilReady();

reportTo(process);
process.on('message', async ({ runs, concurrency }) => {
  if (!runs) return;
  let next = 0;
  const one = async () => {
    while (next < runs) {
      const n = next++;
      const ended = new Promise((resolve) => ends.set(n, resolve));
      await queue.add('job', { n }, { removeOnComplete: true });
      await ended;
      ends.delete(n);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, one));
  process.send({ done: true });
});
process.send({ url: 'bullmq' });
