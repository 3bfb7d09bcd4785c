import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { Module } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { UnsecuredJWT } from 'jose';
import { fastifyOf } from '../../src/edge/fastify-instance.js';
import { goodClaims, type IdentityApp, signWithSecret, startIdentityApp } from './identity-app.js';

let server: IdentityApp;
beforeAll(async () => {
  server = await startIdentityApp();
});
afterAll(() => server[Symbol.asyncDispose]());

function bearer(token: string): Record<string, string> {
  return { authorization: `Bearer ${token}` };
}

describe('I1: who asks over HTTP', () => {
  it('is whoever the token names, each request for itself', async () => {
    const names = Array.from({ length: 40 }, (_, i) => (i % 2 ? 'alice' : 'bob'));
    const tokens = { alice: await server.token('alice', ['admin']), bob: await server.token('bob') };
    const answers = await Promise.all(
      names.map(async (name) => (await server.get('/v1/whoami', bearer(tokens[name as 'alice']))).json()),
    );
    expect(answers.map((answer) => (answer as { userId: string }).userId)).toEqual(names);
    expect(answers[0]).toMatchObject({ userId: 'bob', roles: [] });
    expect(answers[1]).toMatchObject({ userId: 'alice', roles: ['admin'] });
  });

  it('can not be changed by anything else in the request', async () => {
    const token = await server.token('alice');
    const response = await fetch(
      `${server.url}/v1/whoami?userId=bob&user=bob&access_token=${await server.token('bob')}`,
      {
        method: 'POST',
        headers: {
          ...bearer(token),
          'x-user-id': 'bob',
          'x-forwarded-user': 'bob',
          cookie: 'user=bob',
          'content-type': 'application/json',
        },
        body: JSON.stringify({ userId: 'bob', sub: 'bob', token: await server.token('bob') }),
      },
    );
    expect(await response.json()).toMatchObject({ userId: 'alice' });
  });

  it('may write the scheme in any case', async () => {
    const response = await server.get('/v1/whoami', { authorization: `bearer ${await server.token('alice')}` });
    expect(response.status).toBe(200);
  });
});

describe('I1: a request is refused with a problem and WWW-Authenticate', () => {
  it.each<[string, (token: string) => { path?: string; headers?: Record<string, string> }]>([
    ['without a token', () => ({})],
    [
      'with the token in the query',
      (token) => ({ path: `/v1/whoami?token=${token}&access_token=${token}&authorization=Bearer%20${token}` }),
    ],
    [
      'with the token in a cookie',
      (token) => ({ headers: { cookie: `token=${token}; authorization=Bearer ${token}` } }),
    ],
    ['with the token in a header of its own', (token) => ({ headers: { 'x-access-token': token } })],
    ['with another scheme', (token) => ({ headers: { authorization: `Basic ${token}` } })],
    ['without a scheme', (token) => ({ headers: { authorization: token } })],
    ['with two tokens', (token) => ({ headers: { authorization: `Bearer ${token} ${token}` } })],
    ['with an empty token', () => ({ headers: { authorization: 'Bearer ' } })],
    ['for a path that nobody serves', () => ({ path: '/nowhere' })],
    ['for a path that only begins like an open one', () => ({ path: '/healthy' })],
    ['for a path that only begins like the docs', () => ({ path: '/docsx' })],
    ['for a path with a double slash', () => ({ path: '//v1/whoami' })],
    ['for a path with an open one in its query', () => ({ path: '/v1/whoami?/health' })],
    ['for the metrics', () => ({ path: '/metrics' })],
  ])('%s', async (_, make) => {
    const { path = '/v1/whoami', headers = {} } = make(await server.token('alice'));
    const response = await server.get(path, headers);
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toBe('Bearer');
    expect(response.headers.get('content-type')).toContain('application/problem+json');
    expect(response.headers.get('x-request-id')).toMatch(/^req_/);
    expect(await response.json()).toMatchObject({ code: 'unauthenticated', status: 401 });
  });

  it.each([
    '/docs/../v1/whoami',
    '/docs/%2e%2e/v1/whoami',
    '/docs/..%2fv1/whoami',
    '/health/../v1/whoami',
    '/docs-json/x',
  ])('for the path %s, spelled as nobody would', async (path) => {
    const asking = request(server.url, { path });
    asking.end();
    const [response] = (await once(asking, 'response')) as [IncomingMessage];
    expect(response.resume().statusCode).toBe(401);
  });

  it('with a token that is unsigned, signed with a secret, for somebody else or of nobody', async () => {
    const claims = goodClaims(server.clock);
    const bad = [
      new UnsecuredJWT(claims).encode(),
      await signWithSecret(claims),
      'garbage',
      (await server.token('alice')).replace(/\.[^.]+$/, '.AAAA'),
    ];
    for (const token of bad) {
      const response = await server.get('/v1/whoami', bearer(token));
      expect(response.status).toBe(401);
      expect(response.headers.get('www-authenticate')).toBe('Bearer error="invalid_token"');
      const text = await response.text();
      expect(JSON.parse(text)).toMatchObject({ code: 'unauthenticated' });
      expect(text).not.toContain(token);
    }
  });

  it('with a token that has expired', async () => {
    await using other = await startIdentityApp();
    const token = await other.token('alice', [], 60);
    expect((await other.get('/v1/whoami', bearer(token))).status).toBe(200);
    other.clock.advance(91_000);
    const response = await other.get('/v1/whoami', bearer(token));
    expect(response.status).toBe(401);
    expect(await response.json()).toMatchObject({ code: 'token_expired' });
  });

  it('with a token of another server', async () => {
    await using other = await startIdentityApp();
    const response = await server.get('/v1/whoami', bearer(await other.token('alice')));
    expect(response.status).toBe(401);
  });
});

describe('what anybody may ask', () => {
  it.each(['/health', '/ready', '/info', '/docs', '/docs-json', '/docs/static/app.js'])('is %s', async (path) => {
    const response = await server.get(path);
    expect(response.status).toBe(200);
    expect(response.headers.get('x-request-id')).toMatch(/^req_/);
  });

  it('is whether a page of an allowed origin may call, and of no other', async () => {
    await using other = await startIdentityApp({}, true);
    const preflight = (origin: string) =>
      fetch(`${other.url}/v1/whoami`, {
        method: 'OPTIONS',
        headers: { origin, 'access-control-request-method': 'GET', 'access-control-request-headers': 'authorization' },
      });
    const allowed = await preflight('https://app.example.org');
    expect(allowed.status).toBe(204);
    expect(allowed.headers.get('access-control-allow-origin')).toBe('https://app.example.org');
    expect((await preflight('https://evil.example.org')).headers.get('access-control-allow-origin')).toBeNull();
    const refused = await fetch(`${other.url}/v1/whoami`, { headers: { origin: 'https://app.example.org' } });
    expect(refused.status).toBe(401);
    expect(refused.headers.get('access-control-allow-origin')).toBe('https://app.example.org');
  });
});

describe('the facts of a request', () => {
  it('keep a well-formed request id and say it back', async () => {
    const headers = { ...bearer(await server.token('alice')), 'x-request-id': 'web-1.2_x' };
    const response = await server.get('/v1/whoami', headers);
    expect(response.headers.get('x-request-id')).toBe('web-1.2_x');
    expect(await response.json()).toMatchObject({ requestId: 'web-1.2_x' });
  });

  it.each(['a b', 'x'.repeat(129), '<script>', 'a/b', 'ü'])('replace a malformed request id (case %#)', async (id) => {
    const headers = { ...bearer(await server.token('alice')), 'x-request-id': id };
    const response = await server.get('/v1/whoami', headers);
    expect(response.headers.get('x-request-id')).toMatch(/^req_[0-9a-z]{26}$/);
  });

  it('have the client, its program and the trace', async () => {
    const response = await server.get('/v1/whoami', {
      ...bearer(await server.token('alice')),
      'user-agent': 'u'.repeat(300),
      traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
    });
    expect(await response.json()).toMatchObject({
      audit: { clientIp: '127.0.0.1', userAgent: 'u'.repeat(256), traceId: '4bf92f3577b34da6a3ce929d0e0e4736' },
    });
  });

  it.each([
    'nonsense',
    '00-00000000000000000000000000000000-00f067aa0ba902b7-01',
    '00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01',
    'ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
    '00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01',
  ])('leave out a malformed trace: %s', async (traceparent) => {
    const response = await server.get('/v1/whoami', { ...bearer(await server.token('alice')), traceparent });
    const { audit } = (await response.json()) as { audit: object };
    expect(audit).not.toHaveProperty('traceId');
  });
});

describe('the log', () => {
  it('has one line for each answer, with its ids and without secrets', async () => {
    await using other = await startIdentityApp({ CARREL_LOG_LEVEL: 'debug' });
    const token = await other.token('alice');
    const ask = async (path: string, headers = bearer(token)) =>
      (await other.get(path, { ...headers, 'x-request-id': path.slice(1, 9).replace(/\W/g, '-') })).text();
    await ask(`/v1/whoami?password=hunter2`);
    await ask('/health', {});
    await ask('/nowhere?token=hunter2');
    await other.app.close();
    const answered = other.lines().filter((line) => line['msg'] === 'request answered');
    expect(answered).toEqual([
      expect.objectContaining({
        level: 'info',
        method: 'GET',
        route: '/v1/whoami',
        status: 200,
        userId: 'alice',
        requestId: 'v1-whoam',
      }),
      expect.objectContaining({ level: 'debug', route: '/health', status: 200 }),
      expect.objectContaining({ level: 'info', route: '/nowhere', status: 404, userId: 'alice' }),
    ]);
    expect(answered[0]?.['ms']).toEqual(expect.any(Number));
    expect(JSON.stringify(other.lines())).not.toMatch(/hunter2|eyJ/);
  });

  it("has the ids of its own request on every line, also after a body and in the middle of other users' requests", async () => {
    await using other = await startIdentityApp();
    const names = Array.from({ length: 30 }, (_, i) => `${i % 2 ? 'alice' : 'bob'}-${i}`);
    await Promise.all(names.map(async (name) => postLate(other.url, name, await other.token(name))));
    const lines = other.lines().filter((line) => line['msg'] === 'in the handler');
    expect(lines).toHaveLength(30);
    for (const line of lines) {
      const { name } = line['body'] as { name: string };
      expect(line).toMatchObject({ userId: name, requestId: name, context: 'WhoAmI', body: { apiKey: '[redacted]' } });
    }
  });
});

/** Sends the body only when the server has seen the headers, so that it comes in through another callback. */
async function postLate(url: string, name: string, token: string): Promise<void> {
  const headers = {
    ...bearer(token),
    'content-type': 'application/json',
    'x-request-id': name,
    expect: '100-continue',
  };
  const posting = request(`${url}/v1/whoami`, { method: 'POST', headers });
  posting.flushHeaders();
  await once(posting, 'continue');
  posting.end(JSON.stringify({ name, apiKey: 'hunter2' }));
  const [response] = (await once(posting, 'response')) as [IncomingMessage];
  await once(response.resume(), 'end');
}

describe('an application without Fastify', () => {
  it('is refused with the fix', () => {
    @Module({})
    class Express {
      getType(): string {
        return 'express';
      }
    }
    const host = new HttpAdapterHost();
    host.httpAdapter = new Express() as never;
    expect(() => fastifyOf(host)).toThrow(/FastifyAdapter/);
    expect(() => fastifyOf(new HttpAdapterHost())).toThrow(/no HTTP adapter/);
  });
});
