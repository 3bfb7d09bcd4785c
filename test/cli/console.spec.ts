import { join } from 'node:path';
import { BuiltCli } from './built-cli.js';

const cli = new BuiltCli();
afterAll(() => cli.remove());

async function exchange(
  link: string,
): Promise<{ status: number; body: { userId?: string; token?: string; code?: string } }> {
  const [place, code] = link.split('#code=');
  const response = await fetch(new URL('session', place), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ code }),
  });
  return { status: response.status, body: (await response.json()) as object };
}

describe('carrel console', () => {
  it('prints a link that signs in once, and so does carrel start', async () => {
    const data = join(cli.dir, 'data');
    const server = cli.start(['start', '--port', '0', '--data', data]);
    const url = (await server.line(/^Carrel listens on /)).split(' ').at(-1)!;
    const own = (await server.line(/^Carrel's console/)).split(' ').at(-1)!;
    expect(await exchange(own)).toMatchObject({ status: 200 });
    expect(await exchange(own)).toMatchObject({ status: 401, body: { code: 'unauthenticated' } });

    const args = ['console', '--user', 'bob', '--role', 'operator', '--url', url, '--data', data, '--no-open'];
    const { code, stdout, stderr } = await cli.run(args);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const { status, body } = await exchange(stdout.trim());
    expect({ status, userId: body.userId }).toEqual({ status: 200, userId: 'bob' });
    const me = await fetch(`${url}/v1/me`, { headers: { authorization: `Bearer ${body.token}` } });
    expect(await me.json()).toMatchObject({ userId: 'bob', roles: ['operator'] });

    const stranger = await cli.run(['console', '--user', 'bob', '--data', join(cli.dir, 'other'), '--url', url]);
    expect(await exchange(stranger.stdout.trim())).toMatchObject({ status: 401 });
    server.child.kill('SIGTERM');
    await server.ended;
  }, 20_000);

  it('says who else signs people in when the server does not', async () => {
    const env = { CARREL_JWKS_URL: 'https://id.example.org/jwks' };
    const { code, stdout, stderr } = await cli.run(['console', '--user', 'bob'], env);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/CARREL_JWKS_URL/);
  });
});
