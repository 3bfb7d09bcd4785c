import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { exportJWK, SignJWT, UnsecuredJWT } from 'jose';
import { loadConfig } from '../../src/config/load-config.js';
import { TokenVerifier } from '../../src/edge/token-verifier.service.js';
import { signToken } from '../../src/edge/token-signer.js';
import type { CarrelError } from '../../src/shared/errors.js';
import { goodClaims, HS256_SECRET, newDataDir, newPemPair, signWithSecret, StagedClock } from './identity-app.js';

const clock = new StagedClock();
const REFUSED = { code: 'unauthenticated', quotesToken: false };

function verifierOf(settings: Record<string, string>): TokenVerifier {
  return new TokenVerifier(loadConfig({}, settings), clock);
}

function withSecret(): TokenVerifier {
  return verifierOf({ CARREL_JWT_SECRET: HS256_SECRET });
}

function without(claim: string): Record<string, unknown> {
  return Object.fromEntries(Object.entries(goodClaims(clock)).filter(([name]) => name !== claim));
}

const seconds = Math.floor(clock.now() / 1000);

describe('I1: a token with good claims', () => {
  it('names the user, the roles and the end, tolerance included', async () => {
    const token = await signWithSecret({ ...goodClaims(clock), roles: ['admin', 'auditor'] });
    expect(await withSecret().verify(token)).toEqual({
      userId: 'alice',
      roles: ['admin', 'auditor'],
      claims: {},
      expiresAtMs: (seconds + 630) * 1000,
    });
  });

  it.each([
    'nullmann',
    'default_user',
    'registry-team',
    'Undefinedson',
    'a',
    'x'.repeat(128),
    'jürgen@example.org',
    '日本',
  ])('may name %s', async (sub) => {
    const { userId } = await withSecret().verify(await signWithSecret({ ...goodClaims(clock), sub }));
    expect(userId).toBe(sub);
  });

  it('counts while the clocks differ by no more than the tolerance', async () => {
    const verifier = withSecret();
    const early = await signWithSecret({ ...goodClaims(clock), nbf: seconds + 20 });
    const late = await signWithSecret({ ...goodClaims(clock), exp: seconds - 20 });
    await expect(verifier.verify(early)).resolves.toMatchObject({ userId: 'alice' });
    await expect(verifier.verify(late)).resolves.toMatchObject({ userId: 'alice' });
  });
});

describe('I1: a token is refused as unauthenticated', () => {
  it.each<[string, Record<string, unknown>]>([
    ['from another issuer', { ...goodClaims(clock), iss: 'somebody' }],
    ['without an issuer', without('iss')],
    ['for another audience', { ...goodClaims(clock), aud: 'another' }],
    ['without an audience', without('aud')],
    ['without an end', without('exp')],
    ['with an end that is no number', { ...goodClaims(clock), exp: 'tomorrow' }],
    ['that does not count yet', { ...goodClaims(clock), nbf: seconds + 60 }],
    ['without a subject', without('sub')],
    ['with a number as subject', { ...goodClaims(clock), sub: 42 }],
    ['with a list as subject', { ...goodClaims(clock), sub: ['alice', 'bob'] }],
    ['with 129 characters as subject', { ...goodClaims(clock), sub: 'x'.repeat(129) }],
    ['with an empty subject', { ...goodClaims(clock), sub: '' }],
    ['with a blank in its subject', { ...goodClaims(clock), sub: 'alice smith' }],
    ['with a line break in its subject', { ...goodClaims(clock), sub: 'alice\nbob' }],
    ['with a control character in its subject', { ...goodClaims(clock), sub: 'alice\u0000' }],
    ['with an invisible character in its subject', { ...goodClaims(clock), sub: 'alice\u200b' }],
    ['with a text as roles', { ...goodClaims(clock), roles: 'admin' }],
    ['with a number among its roles', { ...goodClaims(clock), roles: ['admin', 1] }],
    ['with 65 roles', { ...goodClaims(clock), roles: Array.from({ length: 65 }, (_, i) => `role-${i}`) }],
    ...['null', 'undefined', '[object Object]', 'NaN', 'none', 'registry', 'placeholder', 'anonymous', 'NULL'].map(
      (sub): [string, Record<string, unknown>] => [`whose subject is ${sub}`, { ...goodClaims(clock), sub }],
    ),
  ])('%s', async (_, claims) => {
    const token = await signWithSecret(claims);
    expect(await answerTo(withSecret(), token)).toEqual(REFUSED);
  });

  it('that is not signed (alg none)', async () => {
    const unsigned = new UnsecuredJWT(goodClaims(clock)).encode();
    expect(await answerTo(withSecret(), unsigned)).toEqual(REFUSED);
    expect(await answerTo(withSecret(), unsigned.replace(/^[^.]+/, base64({ alg: 'NONE' })))).toEqual(REFUSED);
  });

  it('that is signed with another secret', async () => {
    expect(await answerTo(withSecret(), await signWithSecret(goodClaims(clock), `${HS256_SECRET}!`))).toEqual(REFUSED);
  });

  it('whose claims were exchanged after signing', async () => {
    const [head, , signature] = (await signWithSecret(goodClaims(clock))).split('.');
    expect(
      await answerTo(withSecret(), `${head}.${base64({ ...goodClaims(clock), sub: 'bob' })}.${signature}`),
    ).toEqual(REFUSED);
  });

  it.each(['', 'garbage', 'a.b.c', '..', 'null', `eyJ${'x'.repeat(9000)}.e30.x`])(
    'that is no token (case %#)',
    async (text) => {
      expect(await answerTo(withSecret(), text)).toEqual(REFUSED);
    },
  );

  it('that is HS256 with the text of the public key as its secret', async () => {
    for (const type of ['rsa', 'ec', 'ed25519'] as const) {
      const { publicPem } = newPemPair(type);
      const file = join(newDataDir(), 'public.pem');
      writeFileSync(file, publicPem);
      const verifier = verifierOf({ CARREL_JWT_PUBLIC_KEY_FILE: file });
      expect(await answerTo(verifier, await signWithSecret(goodClaims(clock), publicPem))).toEqual(REFUSED);
      expect(await answerTo(verifier, await signWithSecret(goodClaims(clock), publicPem.trim()))).toEqual(REFUSED);
    }
  });
});

describe('an expired token', () => {
  it('is refused as expired', async () => {
    const token = await signWithSecret({ ...goodClaims(clock), exp: seconds - 31 });
    await expect(withSecret().verify(token)).rejects.toMatchObject({ code: 'token_expired' });
  });

  it('is refused although it was remembered', async () => {
    const time = new StagedClock();
    const verifier = new TokenVerifier(
      loadConfig({}, { CARREL_JWT_SECRET: HS256_SECRET, CARREL_JWT_CLOCK_TOLERANCE_S: '0' }),
      time,
    );
    const token = await signWithSecret({ ...goodClaims(time), exp: Math.floor(time.now() / 1000) + 5 });
    await verifier.verify(token);
    expect(verifier.verifyCached(token)).toMatchObject({ userId: 'alice' });
    time.advance(5000);
    expect(verifier.verifyCached(token)).toBeUndefined();
    await expect(verifier.verify(token)).rejects.toMatchObject({ code: 'token_expired' });
  });
});

describe('remembered tokens', () => {
  it('count for a minute, each for its own user', async () => {
    const time = new StagedClock();
    const verifier = new TokenVerifier(loadConfig({}, { CARREL_JWT_SECRET: HS256_SECRET }), time);
    const alice = await signWithSecret(goodClaims(time));
    const bob = await signWithSecret({ ...goodClaims(time), sub: 'bob' });
    expect(verifier.verifyCached(alice)).toBeUndefined();
    await Promise.all([verifier.verify(alice), verifier.verify(bob)]);
    expect(verifier.verifyCached(alice)?.userId).toBe('alice');
    expect(verifier.verifyCached(bob)?.userId).toBe('bob');
    time.advance(59_999);
    expect(verifier.verifyCached(alice)?.userId).toBe('alice');
    time.advance(1);
    expect(verifier.verifyCached(alice)).toBeUndefined();
    await expect(verifier.verify(alice)).resolves.toMatchObject({ userId: 'alice' });
  });

  it('are bounded: the least used goes first', async () => {
    const verifier = verifierOf({ CARREL_JWT_SECRET: HS256_SECRET, CARREL_JWT_CACHE_BYTES: '8192' });
    const names = Array.from({ length: 100 }, (_, i) => `user-${i}`);
    const tokens = await Promise.all(names.map((sub) => signWithSecret({ ...goodClaims(clock), sub })));
    for (const token of tokens) await verifier.verify(token);
    const kept = tokens.filter((token) => verifier.verifyCached(token));
    expect(kept.length).toBeGreaterThan(10);
    expect(kept.join('').length).toBeLessThanOrEqual(8192);
    expect(kept.at(-1)).toBe(tokens.at(-1));
  });

  it('do not include refused ones', async () => {
    const verifier = withSecret();
    const token = await signWithSecret({ ...goodClaims(clock), aud: 'another' });
    expect(await answerTo(verifier, token)).toEqual(REFUSED);
    expect(verifier.verifyCached(token)).toBeUndefined();
  });
});

describe('a public key file', () => {
  it.each([
    ['rsa', 'RS256'],
    ['rsa', 'PS256'],
    ['ec', 'ES256'],
    ['ed25519', 'EdDSA'],
  ] as const)('with a PEM key of the kind %s verifies %s', async (type, alg) => {
    const { publicPem, privateKey } = newPemPair(type);
    const file = join(newDataDir(), 'public.pem');
    writeFileSync(file, publicPem);
    const verifier = verifierOf({ CARREL_JWT_PUBLIC_KEY_FILE: file });
    const token = await new SignJWT(goodClaims(clock)).setProtectedHeader({ alg }).sign(privateKey);
    await expect(verifier.verify(token)).resolves.toMatchObject({ userId: 'alice' });
    const another = await new SignJWT(goodClaims(clock)).setProtectedHeader({ alg }).sign(newPemPair(type).privateKey);
    expect(await answerTo(verifier, another)).toEqual(REFUSED);
  });

  it('with several keys without ids verifies tokens of each', async () => {
    const pairs = [newPemPair('ec'), newPemPair('ec')];
    const file = join(newDataDir(), 'jwks.json');
    writeFileSync(file, JSON.stringify({ keys: await Promise.all(pairs.map((pair) => exportJWK(pair.publicKey))) }));
    const verifier = verifierOf({ CARREL_JWT_PUBLIC_KEY_FILE: file });
    for (const { privateKey } of pairs) {
      const token = await new SignJWT(goodClaims(clock)).setProtectedHeader({ alg: 'ES256' }).sign(privateKey);
      await expect(verifier.verify(token)).resolves.toMatchObject({ userId: 'alice' });
    }
    const stranger = await new SignJWT(goodClaims(clock))
      .setProtectedHeader({ alg: 'ES256' })
      .sign(newPemPair('ec').privateKey);
    expect(await answerTo(verifier, stranger)).toEqual(REFUSED);
  });

  it.each<[string, () => string | undefined | Promise<string>]>([
    ['that is missing', () => undefined],
    ['with anything else in it', () => 'hello'],
    ['with broken JSON', () => '{"kty":'],
    ['with no keys', () => '{"keys":[]}'],
    ['with a secret', () => JSON.stringify({ kty: 'oct', k: 'c2VjcmV0' })],
    ['with a private key (PEM)', () => newPemPair('ec').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()],
    ['with a private key (JWK)', async () => JSON.stringify(await exportJWK(newPemPair('ec').privateKey))],
  ])('%s stops the boot and is named', async (_, makeText) => {
    const file = join(newDataDir(), 'key');
    const text = await makeText();
    if (text !== undefined) writeFileSync(file, text);
    const boot = verifierOf({ CARREL_JWT_PUBLIC_KEY_FILE: file }).onModuleInit();
    await expect(boot).rejects.toMatchObject({ code: 'invalid_config', message: expect.stringContaining(file) });
  });
});

describe('the keys of an identity provider', () => {
  let provider: Server;
  let isUp = true;
  const { privateKey, publicKey } = newPemPair('rsa');

  beforeAll(async () => {
    const jwk = { ...(await exportJWK(publicKey)), kid: 'k1' };
    provider = createServer((_, response) => {
      response.statusCode = isUp ? 200 : 500;
      response.end(JSON.stringify({ keys: [jwk] }));
    }).listen(0, '127.0.0.1');
    await once(provider, 'listening');
  });
  afterAll(() => void provider.close());

  function verifier(): TokenVerifier {
    return verifierOf({ CARREL_JWKS_URL: `http://127.0.0.1:${(provider.address() as AddressInfo).port}/jwks` });
  }

  function tokenOf(kid: string): Promise<string> {
    return new SignJWT(goodClaims(clock)).setProtectedHeader({ alg: 'RS256', kid }).sign(privateKey);
  }

  it('verify its tokens, and only those', async () => {
    const tokens = verifier();
    await expect(tokens.verify(await tokenOf('k1'))).resolves.toMatchObject({ userId: 'alice' });
    expect(await answerTo(tokens, await tokenOf('unknown'))).toEqual(REFUSED);
    expect(await answerTo(tokens, await signWithSecret(goodClaims(clock)))).toEqual(REFUSED);
  });

  it('that can not be fetched are no fault of the token', async () => {
    isUp = false;
    try {
      await expect(verifier().verify(await tokenOf('k1'))).rejects.toMatchObject({ code: 'keys_unavailable' });
    } finally {
      isUp = true;
    }
  });

  it('sign no tokens here', async () => {
    const config = loadConfig({}, { CARREL_JWKS_URL: 'https://id.example.org/jwks' });
    const signing = signToken(config, { userId: 'alice', ttlSeconds: 60 });
    await expect(signing).rejects.toMatchObject({
      code: 'invalid_config',
      message: expect.stringContaining('identity provider'),
    });
  });
});

/** How a verifier answered a token that it should refuse. */
async function answerTo(verifier: TokenVerifier, token: string): Promise<unknown> {
  try {
    return await verifier.verify(token);
  } catch (error) {
    const { code, message } = error as CarrelError;
    return { code, quotesToken: token.length > 10 && message.includes(token.slice(0, 10)) };
  }
}

function base64(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
