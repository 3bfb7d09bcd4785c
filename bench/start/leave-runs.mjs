/** Fills a data folder with runs that were accepted and not finished, and dies: `leave-runs.mjs <folder> <runs>`. */
import { pathToFileURL } from 'node:url';
import Waiters from './waiter.module.mjs';

const RUNS_OF_A_USER = 100;
const [folder, runs] = process.argv.slice(2);
const carrel = await import(pathToFileURL(`${process.env.BENCH_BUILD}/index.js`).href);
const config = carrel.loadConfig({
  CARREL_DATA_DIR: folder,
  CARREL_DATA_SYNC: 'normal',
  CARREL_LOG_LEVEL: 'warn',
  CARREL_USER_STARTS_PER_MINUTE: '1000000',
  CARREL_USER_MAX_RUNNING: String(RUNS_OF_A_USER),
  CARREL_RUN_SLOTS: '1',
});
const app = await carrel.createCarrelApp({ config, agents: [Waiters] });
await app.init();
const executions = app.get(carrel.ExecutionService);
for (let user = 0; user < Number(runs) / RUNS_OF_A_USER; user++) {
  const context = new carrel.UserExecutionContext({
    userId: `user-${user}`,
    requestId: 'req_bench',
    createdAtMs: Date.now(),
  });
  const submitted = Array.from({ length: RUNS_OF_A_USER }, () =>
    executions.submit(context, { agent: 'waiter', input: {} }),
  );
  await Promise.all(submitted);
}
process.kill(process.pid, 'SIGKILL');
