import { randomUUID } from 'node:crypto';
import { jwtVerify, SignJWT } from 'jose';
import type { CarrelConfig } from '../../config/config.js';
import { systemClock, type Clock } from '../../shared/clock.js';
import { CarrelError } from '../../shared/errors.js';
import { whyNotUserId } from '../../shared/ids.js';
import { identityOf } from '../token-claims.js';
import { openTokenKeys } from '../token-keys.js';
import { signingKeyOf } from '../token-signer.js';

/** A code is no token: it counts for this audience alone, once, and not for long. */
const AUDIENCE = 'carrel:console';
const CODE_TTL_SECONDS = 300;

/** Whom a code signs in. */
export interface SignInCode {
  readonly userId: string;
  readonly roles: readonly string[];
  /** Of this very code, so that it counts once. */
  readonly id: string;
  readonly issuedAtMs: number;
  readonly expiresAtMs: number;
}

/**
 * A code with which a user signs in to the console of a server of the same configuration.
 *
 * @throws CarrelError `invalid_request` for a bad user id; `invalid_config` when only the identity provider says who is who
 */
export async function signCode(
  config: CarrelConfig,
  { userId, roles }: { userId: string; roles: readonly string[] },
  clock: Clock = systemClock,
): Promise<string> {
  const why = whyNotUserId(userId);
  if (why) throw new CarrelError('invalid_request', why);
  const { key, alg } = await signingKeyOf(config);
  const issuedAt = Math.floor(clock.now() / 1000);
  return new SignJWT({ roles: [...roles] })
    .setProtectedHeader({ alg })
    .setSubject(userId)
    .setJti(randomUUID())
    .setIssuer(config.auth.issuer)
    .setAudience(AUDIENCE)
    .setIssuedAt(issuedAt)
    .setExpirationTime(issuedAt + CODE_TTL_SECONDS)
    .sign(key);
}

/** @throws CarrelError `unauthenticated` for whatever is no code of this server's, or is too old */
export async function readCode(config: CarrelConfig, code: string, clock: Clock): Promise<SignInCode> {
  const { auth } = config;
  if (!signsItself(config)) throw new CarrelError('unauthenticated', 'this server signs nobody in: use a token');
  try {
    const { getKey, algorithms } = await openTokenKeys(auth.key);
    const { payload } = await jwtVerify(code, getKey, {
      algorithms,
      issuer: auth.issuer,
      audience: AUDIENCE,
      currentDate: new Date(clock.now()),
      requiredClaims: ['sub', 'jti', 'iat', 'exp'],
    });
    const { userId, roles, expiresAtMs } = identityOf(payload, 0, []);
    return { userId, roles, id: payload.jti!, issuedAtMs: payload.iat! * 1_000, expiresAtMs };
  } catch (cause) {
    throw new CarrelError('unauthenticated', 'the link counts once and for five minutes: get a new one', { cause });
  }
}

/** Whether the server has the key that tokens are signed with, and not just one to check them. */
function signsItself({ auth }: CarrelConfig): boolean {
  return auth.key.kind === 'generated' || auth.key.kind === 'secret';
}
