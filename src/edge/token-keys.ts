import { createPublicKey, type KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createLocalJWKSet, createRemoteJWKSet, type JSONWebKeySet, type JWK, type JWTVerifyGetKey } from 'jose';
import type { AuthConfig } from '../config/config.js';
import { CarrelError } from '../shared/errors.js';
import { loadOrCreateSigningKey } from './signing-key.js';

/** What a token is verified with. The key source alone says which algorithms count, never the token's header. */
export interface TokenKeys {
  readonly getKey: JWTVerifyGetKey;
  readonly algorithms: string[];
}

const RSA = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'];
const ED25519 = ['EdDSA', 'Ed25519'];
const CURVES: Readonly<Record<string, string[]>> = {
  prime256v1: ['ES256'],
  secp384r1: ['ES384'],
  secp521r1: ['ES512'],
};
const ASYMMETRIC = [...RSA, ...Object.values(CURVES).flat(), ...ED25519];

const JWKS_TIMEOUT_MS = 5_000;

/**
 * Makes the configured key source ready. Only the JWKS of an identity provider is fetched later, when a token needs it.
 *
 * @throws CarrelError `invalid_config` when a key can't be used
 */
export async function openTokenKeys(key: AuthConfig['key']): Promise<TokenKeys> {
  switch (key.kind) {
    case 'secret': {
      const secret = new TextEncoder().encode(key.secret);
      return { getKey: async () => secret, algorithms: ['HS256'] };
    }
    case 'jwks':
      return {
        getKey: createRemoteJWKSet(new URL(key.url), { timeoutDuration: JWKS_TIMEOUT_MS }),
        algorithms: ASYMMETRIC,
      };
    case 'file':
      return keysOfText(await textOf(key.path), key.path);
    case 'generated': {
      const { publicKey } = await loadOrCreateSigningKey(key.path);
      return { getKey: async () => publicKey, algorithms: ED25519 };
    }
  }
}

async function textOf(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new CarrelError('invalid_config', `CARREL_JWT_PUBLIC_KEY_FILE names ${path}, which can't be read`, { cause });
  }
}

function keysOfText(text: string, path: string): TokenKeys {
  if (/PRIVATE KEY/.test(text)) throw unusable(path, 'holds a private key; the server needs the public one only');
  return text.trimStart().startsWith('{') ? keysOfJwks(text, path) : keysOfPem(text, path);
}

function keysOfPem(text: string, path: string): TokenKeys {
  const key = parsed(path, () => createPublicKey(text));
  const algorithms = algorithmsOf(key);
  if (!algorithms) throw unusable(path, `holds a key of the kind ${key.asymmetricKeyType}, which signs no tokens`);
  if ((key.asymmetricKeyDetails?.modulusLength ?? 2048) < 2048)
    throw unusable(path, 'holds an RSA key under 2048 bits');
  return { getKey: async () => key, algorithms };
}

function algorithmsOf(key: KeyObject): string[] | undefined {
  if (key.asymmetricKeyType === 'rsa') return RSA;
  if (key.asymmetricKeyType === 'ed25519') return ED25519;
  return CURVES[key.asymmetricKeyDetails?.namedCurve ?? ''];
}

function keysOfJwks(text: string, path: string): TokenKeys {
  const json = parsed(path, () => JSON.parse(text) as JWK | JSONWebKeySet);
  const keys = 'keys' in json && Array.isArray(json.keys) ? json.keys : [json as JWK];
  if (keys.length === 0) throw unusable(path, 'holds no key');
  if (keys.some((key) => key.kty === 'oct')) throw unusable(path, 'holds a secret; set CARREL_JWT_SECRET instead');
  if (keys.some((key) => key.d)) throw unusable(path, 'holds a private key; the server needs the public one only');
  for (const key of keys) parsed(path, () => createPublicKey({ key: { ...key }, format: 'jwk' }));
  return { getKey: createLocalJWKSet({ keys }), algorithms: ASYMMETRIC };
}

function parsed<T>(path: string, parse: () => T): T {
  try {
    return parse();
  } catch (cause) {
    throw new CarrelError('invalid_config', unusable(path, 'is neither a PEM, nor a JWK, nor a JWKS').message, {
      cause,
    });
  }
}

function unusable(path: string, why: string): CarrelError {
  return new CarrelError('invalid_config', `CARREL_JWT_PUBLIC_KEY_FILE names ${path}, which ${why}`);
}
