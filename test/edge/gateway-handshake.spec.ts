import { SignJWT, UnsecuredJWT } from 'jose';
import { Readiness } from '../../src/execution/readiness.js';
import { MovableClock } from './gateway-clock.js';
import { GatewayServer } from './gateway-server.js';

const sign = (claims: Record<string, unknown>, secret: string, issuer = 'carrel', audience = 'carrel') =>
  new SignJWT(claims)
    .setProtectedHeader({ alg: 'HS256' })
    .setIssuer(issuer)
    .setAudience(audience)
    .setExpirationTime('1h')
    .sign(new TextEncoder().encode(secret));

describe('the handshake (I1)', () => {
  let server: GatewayServer;
  let good: string;

  beforeAll(async () => {
    server = await GatewayServer.start();
    good = await server.token('alice');
    server.journal.commit('alice', 3);
  });
  afterAll(() => server[Symbol.asyncDispose]());

  const secret = 'a secret that only this test knows';

  it.each<[string, (token: string) => Record<string, unknown> | Promise<Record<string, unknown>>, string]>([
    ['no token', () => ({}), 'unauthenticated'],
    ['an empty token', () => ({ token: '' }), 'unauthenticated'],
    ['a token that is no text', () => ({ token: { sub: 'alice' } }), 'unauthenticated'],
    ['a token that is no token', () => ({ token: 'alice' }), 'unauthenticated'],
    ['a huge token', () => ({ token: 'x'.repeat(100_000) }), 'unauthenticated'],
    ['a token of another key', async () => ({ token: await sign({ sub: 'alice' }, secret + '!') }), 'unauthenticated'],
    ['a token without a user', async () => ({ token: await sign({}, secret) }), 'unauthenticated'],
    ['a token for "undefined"', async () => ({ token: await sign({ sub: 'undefined' }, secret) }), 'unauthenticated'],
    ['a foreign issuer', async () => ({ token: await sign({ sub: 'alice' }, secret, 'other') }), 'unauthenticated'],
    [
      'a foreign audience',
      async () => ({ token: await sign({ sub: 'alice' }, secret, 'carrel', 'x') }),
      'unauthenticated',
    ],
    [
      'a token that nobody has signed',
      () => ({
        token: new UnsecuredJWT({ sub: 'alice', iss: 'carrel', aud: 'carrel' }).setExpirationTime('1h').encode(),
      }),
      'unauthenticated',
    ],
    ['an expired token', async () => ({ token: await server.token('alice', -60) }), 'token_expired'],
    ['a negative after', (token) => ({ token, after: -1 }), 'invalid_request'],
    ['a broken after', (token) => ({ token, after: 1.5 }), 'invalid_request'],
    ['an after that is a text', (token) => ({ token, after: '1' }), 'invalid_request'],
    ['an after of null', (token) => ({ token, after: null }), 'invalid_request'],
    ['an after beyond what there is', (token) => ({ token, after: 4 }), 'invalid_request'],
    ['an unknown property', (token) => ({ token, userId: 'bob' }), 'invalid_request'],
    [
      'a prototype key',
      (token) => JSON.parse(`{"token":"${token}","__proto__":{"after":1}}`) as Record<string, unknown>,
      'invalid_request',
    ],
  ])('refuses %s', async (_, auth, code) => {
    const error = await server.client(await auth(good)).refused();
    expect(error.data).toMatchObject({ code, message: error.message });
    expect(error.message).not.toContain(good);
  });

  it('takes no token from the query or from a header', async () => {
    const options = { query: { token: good, access_token: good }, extraHeaders: { authorization: `Bearer ${good}` } };
    expect((await server.client({}, options).refused()).data).toMatchObject({ code: 'unauthenticated' });
  });

  it.each(['/', '/agents/', '/admin', '/user:alice'])('lets nobody into the namespace %s', async (namespace) => {
    const error = await server.client({ token: good }, {}, namespace).refused();
    expect(error.message).toMatch(/namespace/i);
  });

  it('refuses everybody while the server is shutting down', async () => {
    await using draining = await GatewayServer.start();
    const alice = await draining.connect('alice');
    draining.app.get(Readiness).drain();
    const error = await draining.client({ token: await draining.token('alice') }).refused();
    expect(error.data).toMatchObject({ code: 'draining', retryAfterMs: 1_000 });
    draining.gateway.announceDraining(2_500);
    expect(await alice.notice('server_draining')).toEqual({ reconnectAfterMs: 2_500 });
    draining.journal.commit('alice', 1);
    await alice.reached(1);
  });

  it('reports a journal that fails without its details, and takes the client when it works again', async () => {
    server.journal.failure = new Error('disk: /secret/path');
    const error = await server.client({ token: good }).refused();
    server.journal.failure = undefined;
    expect(error.data).toMatchObject({ code: 'internal' });
    expect(JSON.stringify([error.message, error.data])).not.toContain('secret/path');
    (await server.connect('alice')).close();
  });
});

describe('the number of sockets (I13)', () => {
  it("is limited for each user, counts handshakes under way, and is nobody else's business", async () => {
    await using server = await GatewayServer.start({ env: { CARREL_USER_MAX_SOCKETS: '2' } });
    const token = await server.token('alice');
    const clients = Array.from({ length: 6 }, () => server.client({ token }));
    const outcomes = await Promise.all(
      clients.map((client) => {
        client.socket.connect();
        return Promise.race([
          client.notice('ready').then(() => 'ready'),
          new Promise((resolve) =>
            client.socket.once('connect_error', (error) => resolve((error as { data?: { code: string } }).data?.code)),
          ),
        ]);
      }),
    );
    expect(outcomes.filter((outcome) => outcome === 'ready')).toHaveLength(2);
    expect(outcomes.filter((outcome) => outcome === 'too_many_sockets')).toHaveLength(4);
    await server.connect('bob');
    for (const client of clients) client.close();
    await server.whenGone('alice');
    await server.connect('alice');
  });

  it('is not used up by clients that vanish in the middle of the handshake', async () => {
    await using server = await GatewayServer.start({ env: { CARREL_USER_MAX_SOCKETS: '1' }, delay: () => [3, 3] });
    for (let i = 0; i < 5; i++) {
      const client = server.client({ token: await server.token('alice') });
      client.socket.connect();
      await new Promise<void>((resolve) => client.socket.io.engine.once('open', () => resolve()));
      client.socket.io.engine.close();
      await server.whenGone('alice');
    }
    const alice = await server.connect('alice');
    expect(alice.socket.connected).toBe(true);
  });

  it('leaves no subscription behind when the last socket of a user goes', async () => {
    await using server = await GatewayServer.start();
    const sockets = [await server.connect('alice'), await server.connect('alice')];
    expect(server.listeners('alice')).toBe(1);
    for (const socket of sockets) socket.close();
    await server.whenGone('alice');
    expect(server.listeners('alice')).toBe(0);
  });
});

describe('the end of a token', () => {
  it('ends the session, however long the token was valid', async () => {
    const clock = new MovableClock();
    await using server = await GatewayServer.start({ clock, env: { CARREL_JWT_CLOCK_TOLERANCE_S: '0' } });
    const year = 365 * 24 * 3600;
    const alice = server.client({ token: await server.token('alice', year) });
    alice.socket.connect();
    await alice.notice('ready');
    for (let days = 0; days < 364; days += 7) clock.advance(7 * 24 * 3600_000);
    expect(await alice.send('stream:resume', { after: 0 })).toMatchObject({ ok: true });
    clock.advance(24 * 3600_000);
    clock.advance(1_000);
    await alice.notice('auth_expired');
    await alice.disconnected();
    expect(alice.reason).toBe('io server disconnect');
  });

  it('is noticed at the next message too, when its timer is late', async () => {
    const clock = new MovableClock();
    await using server = await GatewayServer.start({ clock, env: { CARREL_JWT_CLOCK_TOLERANCE_S: '0' } });
    const alice = await server.connect('alice');
    clock.advanceSilently(3600_000);
    void alice.send('run:start', { agent: 'a', input: 1 }).catch(() => {});
    await alice.notice('auth_expired');
    await alice.disconnected();
    expect(server.execution.submitted).toHaveLength(0);
  });
});
