import { connect } from 'node:net';
import { ERRORS, type ErrorCode } from '../../src/shared/errors.js';
import type { CarrelServer, CarrelUser } from '../carrel-server.js';

/** What an error never tells: stacks, files, libraries, statements. */
const INTERNALS =
  /\n\s+at |node_modules|node:internal|\.[cm]?[jt]s:\d|TypeError|SyntaxError|SQLITE|SELECT |INSERT |carrel\.db|\/src\/|\/dist\//;
const MAX_MESSAGE_LENGTH = 3_000;

export interface RawAnswer {
  status: number;
  headers: Headers;
  text: string;
}

/** Everything that the server keeps for a user, as far as anybody can see it. */
export async function keptFor(user: CarrelUser): Promise<unknown> {
  const list = async (path: string) => (await user.http<{ items: unknown[] }>('GET', path)).body.items;
  const { body } = await user.http<{ use: object }>('GET', '/v1/me/limits');
  return {
    runs: await list('/v1/runs?limit=200'),
    threads: await list('/v1/threads?limit=200'),
    events: await list('/v1/events?limit=200'),
    approvals: await list('/v1/approvals?status=all&limit=200'),
    schedules: await list('/v1/schedules?limit=200'),
    use: body.use,
  };
}

/** Holds an answer to what every problem promises. */
export function expectProblem(answer: RawAnswer, code: ErrorCode, status: number = ERRORS[code].status): void {
  expect({ status: answer.status, text: answer.text }).toEqual({ status, text: expect.stringContaining(`"${code}"`) });
  expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
  const problem = JSON.parse(answer.text) as Record<string, unknown>;
  expect(problem).toMatchObject({ type: `/docs/errors#${code}`, title: ERRORS[code].title, status, code });
  expectMessage(problem['detail']);
  expectNoInternals(answer.text);
  const requestId = answer.headers.get('x-request-id');
  if (requestId) expect(problem['requestId']).toBe(requestId);
  if (status === 401) expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer/);
  if (status === 429 || status === 503) expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
}

/** Holds an acknowledgement, the event `exception` or the data of a `connect_error` to the same. */
export function expectWireError(error: unknown, code: ErrorCode): void {
  expect(error).toMatchObject({ code });
  expectMessage((error as { message: unknown }).message);
  expectNoInternals(JSON.stringify(error));
}

export function expectNoInternals(text: string): void {
  expect(text).not.toMatch(INTERNALS);
  expect(text.length).toBeLessThan(4 * MAX_MESSAGE_LENGTH);
}

function expectMessage(message: unknown): void {
  expect(typeof message).toBe('string');
  expect((message as string).length).toBeGreaterThan(10);
  expect((message as string).length).toBeLessThan(MAX_MESSAGE_LENGTH);
}

/** Nested so many times. */
export function nested(depth: number): string {
  return '['.repeat(depth) + ']'.repeat(depth);
}

/** Sends a request as it is, which clients of good manners would not, and resolves with all that comes back. */
export async function sendBytes(server: CarrelServer, head: readonly string[], body = ''): Promise<RawAnswer> {
  const { hostname, port } = new URL(server.url);
  const socket = connect(Number(port), hostname);
  let received = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => (received += chunk));
  socket.on('error', () => undefined); // the server may have answered and closed before all was sent
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.setTimeout(5_000, () => socket.destroy());
  socket.write(`${head.join('\r\n')}\r\n\r\n${body}`);
  await closed;
  return answerIn(received);
}

function answerIn(received: string): RawAnswer {
  const end = received.indexOf('\r\n\r\n');
  const [first = '', ...lines] = received.slice(0, end).split('\r\n');
  const pairs = lines.map((line): [string, string] => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon), line.slice(colon + 1).trim()];
  });
  return { status: Number(first.split(' ')[1]), headers: new Headers(pairs), text: received.slice(end + 4) };
}
