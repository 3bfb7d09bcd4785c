import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { decodeJwt } from 'jose';
import { loadConfig } from '../../src/config/load-config.js';
import { TokenVerifier } from '../../src/edge/token-verifier.service.js';
import { systemClock } from '../../src/shared/clock.js';
import { BuiltCli } from './built-cli.js';

const cli = new BuiltCli();
afterAll(() => cli.remove());

const dir = join(cli.dir, 'data');

describe('carrel token', () => {
  it('prints a token that a server on the same data folder accepts, and nothing else', async () => {
    const args = ['token', '--user', 'alice', '--role', 'admin', '--role', 'auditor', '--ttl', '15m', '--data', dir];
    const { code, stdout, stderr } = await cli.run(args);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n$/);
    const verifier = new TokenVerifier(loadConfig({}, { CARREL_DATA_DIR: dir }), systemClock);
    const identity = await verifier.verify(stdout.trim());
    expect(identity).toMatchObject({ userId: 'alice', roles: ['admin', 'auditor'] });
    const { exp = 0, iat = 0 } = decodeJwt(stdout.trim());
    expect(exp - iat).toBe(900);
  });

  it('signs with the secret where one is set', async () => {
    const env = { CARREL_JWT_SECRET: 's'.repeat(40), CARREL_DATA_DIR: join(cli.dir, 'unused') };
    const { stdout } = await cli.run(['token', '--user', 'bob'], env);
    const verifier = new TokenVerifier(loadConfig(env), systemClock);
    await expect(verifier.verify(stdout.trim())).resolves.toMatchObject({ userId: 'bob', roles: [] });
    expect(existsSync(env.CARREL_DATA_DIR)).toBe(false);
  });

  it.each<[string[], RegExp]>([
    [['--user', 'null'], /"null" is a placeholder/],
    [['--user', 'a b'], /1 to 128 visible characters/],
    [['--user', 'x'.repeat(129)], /1 to 128 visible characters/],
    [['--user', ''], /1 to 128 visible characters/],
    [[], /required option '--user <id>'/],
    [['--user', 'bob', '--ttl', '60'], /a time has a unit/],
    [['--user', 'bob', '--ttl', '0s'], /at least 1s/],
    [['--user', 'bob', '--ttl', '-1h'], /--ttl/],
    [['--user', 'bob', '--ttl', '2y'], /at most 365d/],
    [['--user', 'bob', '--ttl', 'soon'], /a time has a unit/],
    [['--user', 'bob', '--role', 'a b'], /a role has/],
    [['--user', 'bob', '--rol', 'admin'], /Did you mean --role\?/],
    [['--user', 'bob', 'carol'], /too many arguments/],
  ])('answers a call that makes no sense with 2 and why (case %#)', async (args, why) => {
    const { code, stdout, stderr } = await cli.run(['token', '--data', join(cli.dir, 'none'), ...args]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(why);
    expect(stderr).not.toMatch(/^\s+at /m);
    expect(existsSync(join(cli.dir, 'none'))).toBe(false);
  });

  it('says who else signs tokens when the server does not', async () => {
    const env = { CARREL_JWKS_URL: 'https://id.example.org/jwks' };
    const { code, stdout, stderr } = await cli.run(['token', '--user', 'bob'], env);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^carrel: invalid_config: CARREL_JWKS_URL is https.*identity provider\n$/);
  });
});
