import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { loadConfig } from '../../src/config/load-config.js';
import { loadOrCreateSigningKey } from '../../src/edge/signing-key.js';
import { signToken } from '../../src/edge/token-signer.js';
import { TokenVerifier } from '../../src/edge/token-verifier.service.js';
import { systemClock } from '../../src/shared/clock.js';
import { newDataDir, newPemPair } from './identity-app.js';

function newPath(): string {
  return join(newDataDir(), 'keys', 'signing-key.pem');
}

const modeOf = (path: string) => statSync(path).mode & 0o777;

describe('the generated signing key', () => {
  it('is made once, for nobody but its owner to read', async () => {
    const path = newPath();
    const first = await loadOrCreateSigningKey(path);
    expect(modeOf(path)).toBe(0o600);
    expect(modeOf(dirname(path))).toBe(0o700);
    const text = readFileSync(path, 'utf8');
    const again = await loadOrCreateSigningKey(path);
    expect(again.publicKey.equals(first.publicKey)).toBe(true);
    expect(readFileSync(path, 'utf8')).toBe(text);
  });

  it('is the same for all who start at once, and leaves nothing else behind', async () => {
    const path = newPath();
    const keys = await Promise.all(Array.from({ length: 20 }, () => loadOrCreateSigningKey(path)));
    expect(keys.every((key) => key.publicKey.equals(keys[0]!.publicKey))).toBe(true);
    expect(readdirSync(dirname(path))).toEqual(['signing-key.pem']);
  });

  it.each([0o640, 0o604, 0o660, 0o644])('is refused when others may use it (mode %o), with the fix', async (mode) => {
    const path = newPath();
    await loadOrCreateSigningKey(path);
    chmodSync(path, mode);
    await expect(loadOrCreateSigningKey(path)).rejects.toMatchObject({
      code: 'invalid_config',
      message: expect.stringContaining(`chmod 600 ${path}`),
    });
    chmodSync(path, 0o600);
    await expect(loadOrCreateSigningKey(path)).resolves.toBeDefined();
  });

  it.each([
    ['no key at all', () => 'hello'],
    ['nothing', () => ''],
    ['a key of another kind', () => newPemPair('ec').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()],
  ])('is never replaced when the file holds %s', async (_, text) => {
    const path = newPath();
    mkdirSync(dirname(path));
    writeFileSync(path, text(), { mode: 0o600 });
    const before = readFileSync(path, 'utf8');
    await expect(loadOrCreateSigningKey(path)).rejects.toMatchObject({
      code: 'invalid_config',
      message: expect.stringContaining(path),
    });
    expect(readFileSync(path, 'utf8')).toBe(before);
  });

  it('can not be made where a file stands in the way, and that is said', async () => {
    const path = newPath();
    writeFileSync(dirname(path), '');
    await expect(loadOrCreateSigningKey(path)).rejects.toMatchObject({
      code: 'invalid_config',
      message: expect.stringContaining(path),
    });
  });
});

describe('a signed token', () => {
  it.each([
    ['the generated key', {}],
    ['the secret', { CARREL_JWT_SECRET: 's'.repeat(32) }],
  ])('with %s is good for a server of the same configuration', async (_, settings) => {
    const config = loadConfig({}, { CARREL_DATA_DIR: newDataDir(), ...settings });
    const token = await signToken(config, { userId: 'alice', roles: ['admin'], ttlSeconds: 60 });
    const verifier = new TokenVerifier(config, systemClock);
    await expect(verifier.verify(token)).resolves.toMatchObject({ userId: 'alice', roles: ['admin'] });
    const elsewhere = new TokenVerifier(loadConfig({}, { CARREL_DATA_DIR: newDataDir() }), systemClock);
    await expect(elsewhere.verify(token)).rejects.toMatchObject({ code: 'unauthenticated' });
  });

  it('is not made for a placeholder or with a bad role, and no key is made for it', async () => {
    const dir = newDataDir();
    const config = loadConfig({}, { CARREL_DATA_DIR: dir });
    const code = 'invalid_request';
    await expect(signToken(config, { userId: 'undefined', ttlSeconds: 60 })).rejects.toMatchObject({ code });
    await expect(signToken(config, { userId: 'bob', roles: ['a b'], ttlSeconds: 60 })).rejects.toMatchObject({ code });
    expect(existsSync(join(dir, 'keys'))).toBe(false);
  });
});
