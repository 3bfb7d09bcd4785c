import { Controller, ForbiddenException, Get, HttpException, Module, NotFoundException, Param } from '@nestjs/common';
import { ERRORS } from '../../src/shared/errors.js';
import { CarrelServer, type CarrelUser } from '../carrel-server.js';
import { expectNoInternals, expectProblem } from './bad-input.js';

const SECRET = 'password=hunter2';

class Unprintable {
  toString(): string {
    throw new Error(SECRET);
  }
}

const THROWN: Record<string, () => unknown> = {
  forbidden: () => new ForbiddenException('only on weekdays'),
  missing: () => new NotFoundException('no such invoice'),
  teapot: () => new HttpException('short and stout', 418),
  broken: () => new HttpException(SECRET, 502),
  error: () => new Error(SECRET, { cause: new Error(SECRET) }),
  text: () => SECRET,
  nothing: () => undefined,
  unprintable: () => new Unprintable(),
  pretender: () => Object.assign(new Error(SECRET), { code: 'queue_full' }),
};

/** A controller such as people bring along in their own module. */
@Controller('v1/own')
class OwnController {
  @Get(':kind')
  fail(@Param('kind') kind: string): never {
    throw THROWN[kind]?.();
  }
}

@Module({ controllers: [OwnController] })
class OwnModule {}

let server: CarrelServer;
let alice: CarrelUser;
const logLines: string[] = [];

beforeAll(async () => {
  server = await CarrelServer.start({ agents: [OwnModule], env: { CARREL_LOG_LEVEL: 'error' }, logLines });
  alice = await server.as('alice');
});
afterAll(() => server.close());

describe("I12: what somebody's own controller throws", () => {
  it.each([
    ['forbidden', 'forbidden', 403, 'only on weekdays'],
    ['missing', 'not_found', 404, 'no such invoice'],
    ['teapot', 'invalid_request', 418, 'short and stout'],
  ] as const)('keeps its status and message when it is meant for the user: %s', async (kind, code, status, detail) => {
    const answer = await alice.http('GET', `/v1/own/${kind}`);
    expectProblem(answer, code, status);
    expect(answer.body).toMatchObject({ detail });
  });

  it.each(['broken', 'error', 'text', 'nothing', 'unprintable', 'pretender'])(
    'is internal otherwise, with a support code for the log, and tells nothing: %s',
    async (kind) => {
      const answer = await alice.http<{ supportCode: string }>('GET', `/v1/own/${kind}`);
      expectProblem(answer, 'internal');
      expect(answer.text).not.toContain('hunter2');
      expect(logLines.some((line) => line.includes(answer.body.supportCode))).toBe(true);
    },
  );
});

describe('the page that the type of a problem leads to', () => {
  it('is there for everybody, has every code, and may be shown by a browser', async () => {
    const { body } = await alice.http<{ type: string }>('GET', '/v1/nothing');
    const address = new URL(body.type, server.url);
    expect(address.hash).toBe('#not_found');
    const page = await fetch(address);
    expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
    expect(page.headers.get('content-security-policy')).toContain("style-src 'self' 'unsafe-inline'");
    const html = await page.text();
    expect([...html.matchAll(/<section id="(\w+)">/g)].map(([, code]) => code)).toEqual(Object.keys(ERRORS));
    expect(html).not.toMatch(/<script|`|\*\*/);
    expectNoInternals(html.slice(0, 1_000));
  });
});
