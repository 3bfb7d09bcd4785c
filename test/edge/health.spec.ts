import { HealthParts, type PartHealth } from '../../src/execution/health-parts.js';
import { OPERATIONS_STORE } from '../../src/execution/operations/operations-store.port.js';
import { CarrelServer } from '../carrel-server.js';
import { DocumentedClient } from './documented-client.js';
import { HeldClock } from '../contracts/storage-world.js';
import { Logger } from '@nestjs/common';

describe('/ready and /health', () => {
  let server: CarrelServer;
  let client: DocumentedClient;
  beforeEach(async () => {
    server = await CarrelServer.start();
    client = await DocumentedClient.of(server);
  });
  afterEach(() => server.close());

  it('say that all is well, with its parts', async () => {
    expect(await client.call('get', '/health')).toMatchObject({ status: 200, body: { status: 'ok' } });
    expect(await client.call('get', '/ready')).toMatchObject({
      status: 200,
      body: { status: 'ready', parts: { storage: { status: 'ok' } } },
    });
  });

  it('stays ready, and says so, when a part is degraded', async () => {
    const reason = 'events arrive late';
    server.app.get(HealthParts).register({ name: 'redis', check: async () => ({ status: 'degraded', reason }) });
    expect(await client.call('get', '/ready')).toMatchObject({
      status: 200,
      body: { status: 'degraded', parts: { storage: { status: 'ok' }, redis: { status: 'degraded', reason } } },
    });
  });

  it('is not ready, but alive, when the storage fails; and why is in the log alone', async () => {
    const store = server.app.get<{ switches(): Promise<unknown> }>(OPERATIONS_STORE);
    store.switches = () => Promise.reject(new Error('disk I/O error at /secret/place'));
    const { status, body } = await client.call('get', '/ready');
    expect(status).toBe(503);
    expect(body).toMatchObject({ code: 'not_ready', parts: { storage: { status: 'down' } } });
    expect(JSON.stringify(body)).not.toContain('secret');
    expect((await client.call('get', '/health')).status).toBe(200);
  });
});

describe('the parts of the server', () => {
  beforeAll(() => Logger.overrideLogger(false));

  it('count as down when they do not answer in time, and are asked once by all who ask at once', async () => {
    const clock = new HeldClock();
    const parts = new HealthParts(clock);
    const never = new Promise<PartHealth>(() => undefined);
    let asked = 0;
    parts.register({ name: 'silent', check: () => (asked++, never) });
    parts.register({ name: 'sound', check: async () => ({ status: 'ok' }) });
    const reports = [parts.report(), parts.report()];
    clock.advance(2_000);
    const down = { status: 'down', reason: 'no answer within 2000 ms' };
    for (const report of reports)
      expect(await report).toEqual({ status: 'down', parts: { silent: down, sound: { status: 'ok' } } });
    expect(asked).toBe(1);
    expect(clock.pending).toEqual([]);
  });
});
