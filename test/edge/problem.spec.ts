import { connect } from 'node:net';
import {
  BadRequestException,
  ConflictException,
  Controller,
  ForbiddenException,
  Get,
  HttpException,
  Module,
  NotFoundException,
  Param,
  ServiceUnavailableException,
} from '@nestjs/common';
import supertest from 'supertest';
import { toProblem, toWireError } from '../../src/edge/problem.js';
import { CarrelError, ERRORS, type ErrorCode } from '../../src/shared/errors.js';
import { CarrelServer } from '../carrel-server.js';

const SECRET = 'postgres://admin:hunter2@db.internal';

const THROWN: Record<string, () => unknown> = {
  error: () => new Error(SECRET),
  text: () => SECRET,
  nothing: () => undefined,
  unprintable: () => Object.create(null) as object,
  'error-with-a-status': () => Object.assign(new Error(SECRET), { statusCode: 404, status: 404 }),
  'error-with-our-code': () => Object.assign(new Error(SECRET), { code: 'not_found' }),
  internal: () => new CarrelError('internal', SECRET),
  unavailable: () => new ServiceUnavailableException(SECRET),
  caused: () => new CarrelError('forbidden', 'not for you', { cause: new Error(SECRET) }),
  missing: () => new NotFoundException('there is no such invoice'),
  denied: () => new ForbiddenException(),
  conflict: () => new ConflictException('it was changed meanwhile'),
  teapot: () => new HttpException('short and stout', 418),
  list: () => new BadRequestException(['name must be a string', 'age must be a number']),
  ours: () =>
    new CarrelError('rate_limited', 'slow down', { retryAfterMs: 2_500, details: { code: 'forged', kept: 1 } }),
};

@Controller('own')
class OwnController {
  @Get(':what')
  fail(@Param('what') what: string): never {
    throw THROWN[what]?.();
  }
}

@Module({ controllers: [OwnController] })
class OwnModule {}

let server: CarrelServer;
let token: string;

beforeAll(async () => {
  server = await CarrelServer.start({ agents: [OwnModule] });
  token = await server.token('alice');
});
afterAll(() => server.close());

const ask = (method: string, path: string) =>
  supertest(server.url)[method as 'get'](path).set('authorization', `Bearer ${token}`);

describe('what a controller throws', () => {
  it.each([
    'error',
    'text',
    'nothing',
    'unprintable',
    'error-with-a-status',
    'error-with-our-code',
    'internal',
    'unavailable',
  ])('is answered without a word of its own: %s', async (what) => {
    const { status, text, body } = await ask('get', `/own/${what}`);
    expect(status).toBe(500);
    expect(body).toMatchObject({ code: 'internal', title: ERRORS.internal.title });
    expect((body as { supportCode: string }).supportCode).toMatch(/^sup_/);
    expect(text).not.toMatch(/hunter2|stack|\.ts/);
  });

  it('never shows its cause', async () => {
    const { body, text } = await ask('get', '/own/caused');
    expect(body).toMatchObject({ status: 403, code: 'forbidden', detail: 'not for you' });
    expect(text).not.toContain('hunter2');
  });

  it.each([
    ['missing', 404, 'not_found', 'there is no such invoice'],
    ['denied', 403, 'forbidden', 'Forbidden'],
    ['conflict', 409, 'invalid_request', 'it was changed meanwhile'],
    ['teapot', 418, 'invalid_request', 'short and stout'],
  ])('keeps status and words when it is one of Nest’s: %s', async (what, status, code, detail) => {
    const answer = await ask('get', `/own/${what}`);
    expect(answer.status).toBe(status);
    expect(answer.body).toMatchObject({ status, code, detail });
    expect(answer.get('content-type')).toContain('application/problem+json');
  });

  it('has the messages of a validation as issues', async () => {
    const { body } = await ask('get', '/own/list');
    expect((body as { issues: { message: string }[] }).issues.map(({ message }) => message)).toEqual([
      'name must be a string',
      'age must be a number',
    ]);
  });

  it('says when to come back, and cannot forge what is ours', async () => {
    const answer = await ask('get', '/own/ours');
    expect(answer.body).toMatchObject({ code: 'rate_limited', status: 429, retryAfterMs: 2_500, kept: 1 });
    expect(answer.get('retry-after')).toBe('3');
  });
});

describe('what comes before any controller', () => {
  it('names the methods of a path that has others', async () => {
    const answer = await ask('put', '/v1/runs');
    expect(answer.body).toMatchObject({ status: 405, code: 'method_not_allowed' });
    expect(answer.get('allow')).toBe('GET, HEAD, POST');
    expect((await ask('patch', '/v1/runs/run_1')).get('allow')).toBe('GET, HEAD');
    expect((await ask('get', '/v1/runs/run_1/cancel')).get('allow')).toBe('POST');
  });

  it.each(['/nowhere', '/v1', '/v1/pipeline', '/v1/admin', '/v1/runs/run_1/replay', '/v1/%2e%2e/info', '//v1/runs'])(
    'has nothing at %s',
    async (path) => {
      expect((await ask('get', path)).body).toMatchObject({ status: 404, code: 'not_found' });
    },
  );

  it('refuses a path that is not validly encoded', async () => {
    const answer = await ask('get', '/v1/runs/%E0%A4%A');
    expect(answer.body).toMatchObject({ status: 400, code: 'invalid_request' });
    expect(answer.get('content-type')).toContain('application/problem+json');
  });

  it('refuses who has no token, a wrong path included, and says how to send one', async () => {
    for (const path of ['/v1/runs', '/v1/nowhere', '/own/error']) {
      const answer = await supertest(server.url).get(path);
      expect(answer.body).toMatchObject({ status: 401, code: 'unauthenticated' });
      expect(answer.get('www-authenticate')).toContain('Bearer');
      expect(answer.get('content-type')).toContain('application/problem+json');
    }
  });

  it('answers bytes that are no HTTP with a problem, and goes on', async () => {
    const { hostname, port } = new URL(server.url);
    const socket = connect(Number(port), hostname);
    socket.end('rubbish\r\n\r\n');
    let answer = '';
    for await (const chunk of socket) answer += String(chunk);
    expect(answer).toContain('HTTP/1.1 400');
    expect(JSON.parse(answer.split('\r\n\r\n')[1]!)).toMatchObject({ code: 'invalid_request' });
    expect((await ask('get', '/health')).status).toBe(200);
  });

  it('carries the request id that the caller chose', async () => {
    const answer = await ask('get', '/nowhere').set('x-request-id', 'my-request-1');
    expect(answer.get('x-request-id')).toBe('my-request-1');
    expect(answer.body).toMatchObject({ requestId: 'my-request-1' });
  });
});

describe('toWireError', () => {
  it.each(Object.keys(ERRORS) as ErrorCode[])('shows %s as the problem does', (code) => {
    const error = new CarrelError(code);
    const wire = toWireError(error);
    const problem = toProblem(error);
    expect(wire.code).toBe(code);
    expect(problem).toMatchObject({ code, status: ERRORS[code].status, type: `/docs/errors#${code}` });
    if (code !== 'internal') expect(wire.message).toBe(problem.detail);
  });

  it('has the facts beside code and message, which they can not replace', () => {
    const details = { issues: [{ path: 'a', message: 'b' }], code: 'forged', message: 'forged' };
    const wire = toWireError(new CarrelError('invalid_input', 'no', { details, retryAfterMs: 5 }));
    expect(wire).toEqual({ code: 'invalid_input', message: 'no', issues: details.issues, retryAfterMs: 5 });
  });
});

describe('the headers of answers', () => {
  it('forbid everything that data has no need of', async () => {
    for (const path of ['/health', '/v1/runs', '/nowhere']) {
      const { headers } = await ask('get', path);
      expect(headers).toMatchObject({
        'content-security-policy': "default-src 'none';frame-ancestors 'none'",
        'x-content-type-options': 'nosniff',
      });
      expect(headers).not.toHaveProperty('access-control-allow-origin');
      expect(headers).not.toHaveProperty('x-powered-by');
    }
  });

  it('let scripts in from the configured origins, and from no other', async () => {
    await using open = await CarrelServer.start({ env: { CARREL_CORS_ORIGINS: 'https://app.example.org' } });
    const preflight = (origin: string) =>
      supertest(open.url).options('/v1/runs').set({ origin, 'access-control-request-method': 'POST' });
    const ours = await preflight('https://app.example.org');
    expect(ours.status).toBe(204);
    expect(ours.get('access-control-allow-origin')).toBe('https://app.example.org');
    expect((await preflight('https://evil.example.org')).get('access-control-allow-origin')).toBeUndefined();
    const refused = await supertest(open.url).get('/v1/runs').set('origin', 'https://app.example.org');
    expect(refused.status).toBe(401);
    expect(refused.get('access-control-allow-origin')).toBe('https://app.example.org');
  });
});
