import type { KeyObject } from 'node:crypto';
import { SignJWT } from 'jose';
import type { CarrelConfig } from '../config/config.js';
import { systemClock, type Clock } from '../shared/clock.js';
import { CarrelError } from '../shared/errors.js';
import { whyNotUserId } from '../shared/ids.js';
import { loadOrCreateSigningKey } from './signing-key.js';
import { isRole } from './token-claims.js';

/** Whom a token is for. */
export interface TokenSubject {
  userId: string;
  roles?: readonly string[];
  ttlSeconds: number;
}

/**
 * Signs a token that a server of the same configuration accepts.
 *
 * @throws CarrelError `invalid_request` for a bad user id or role; `invalid_config` when only the identity provider
 * can sign tokens
 */
export async function signToken(
  config: CarrelConfig,
  subject: TokenSubject,
  clock: Clock = systemClock,
): Promise<string> {
  const { userId, roles = [], ttlSeconds } = subject;
  const why = whyNotUserId(userId) ?? whyNotRoles(roles);
  if (why) throw new CarrelError('invalid_request', why);
  const { key, alg } = await signingKeyOf(config);
  const issuedAt = Math.floor(clock.now() / 1000);
  return new SignJWT(roles.length > 0 ? { roles } : {})
    .setProtectedHeader({ alg, typ: 'JWT' })
    .setSubject(userId)
    .setIssuer(config.auth.issuer)
    .setAudience(config.auth.audience)
    .setIssuedAt(issuedAt)
    .setExpirationTime(issuedAt + ttlSeconds)
    .sign(key);
}

function whyNotRoles(roles: readonly string[]): string | undefined {
  const bad = roles.find((role) => !isRole(role));
  return bad === undefined ? undefined : `"${bad}" is no role: it must be 1 to 128 visible characters, without blanks`;
}

/** @throws CarrelError `invalid_config` when only the identity provider can sign */
export async function signingKeyOf({ auth }: CarrelConfig): Promise<{ key: KeyObject | Uint8Array; alg: string }> {
  switch (auth.key.kind) {
    case 'generated':
      return { key: (await loadOrCreateSigningKey(auth.key.path)).privateKey, alg: 'EdDSA' };
    case 'secret':
      return { key: new TextEncoder().encode(auth.key.secret), alg: 'HS256' };
    case 'jwks':
      throw signedElsewhere(`CARREL_JWKS_URL is ${auth.key.url}`);
    case 'file':
      throw signedElsewhere(`CARREL_JWT_PUBLIC_KEY_FILE is ${auth.key.path}`);
  }
}

function signedElsewhere(setting: string): CarrelError {
  return new CarrelError(
    'invalid_config',
    `${setting}: this server only verifies tokens; get one from the identity provider`,
  );
}
