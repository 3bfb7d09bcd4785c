import { errors, type JWTPayload } from 'jose';
import { CarrelError } from '../shared/errors.js';
import { whyNotUserId, type UserId } from '../shared/ids.js';
import type { Identity } from './identity.js';

const MAX_ROLES = 64;
const KEYS_AWAY = 'the identity provider can not be asked for the keys of tokens: try again in a moment';
const ROLE_PATTERN = /^[\p{L}\p{M}\p{N}\p{P}\p{S}]{1,128}$/u;
const MAX_CLAIM_LENGTH = 4_096;
/** The last moment that a `Date` can hold. */
const LAST_MOMENT_MS = 8.64e15;

/**
 * The identity in verified claims.
 *
 * @param toleranceSeconds is added to the token's end, as when it was verified
 * @param wanted names of the claims that are kept besides; what can't be a text is left out
 * @throws CarrelError `unauthenticated` when `sub` is no user's id or `roles` no list of roles
 */
export function identityOf(claims: JWTPayload, toleranceSeconds: number, wanted: readonly string[]): Identity {
  const why = whyNotUserId(claims.sub);
  if (why) throw new CarrelError('unauthenticated', `the token's "sub" can't be used: ${why}`);
  const expiresAtMs = Math.min(((claims.exp ?? 0) + toleranceSeconds) * 1000, LAST_MOMENT_MS);
  const roles = rolesOf(claims['roles']);
  return Object.freeze({ userId: claims.sub as UserId, roles, claims: keptClaims(claims, wanted), expiresAtMs });
}

function keptClaims(claims: JWTPayload, wanted: readonly string[]): Readonly<Record<string, string>> {
  const kept = wanted.flatMap((name) => {
    const text = Object.hasOwn(claims, name) ? claimText(claims[name]) : undefined;
    return text === undefined ? [] : [[name, text] as const];
  });
  return Object.freeze(Object.fromEntries(kept));
}

/** Texts, numbers and true or false; no control characters, for it goes into environments, arguments and headers. */
function claimText(claim: unknown): string | undefined {
  if (!['string', 'number', 'boolean'].includes(typeof claim)) return undefined;
  const text = String(claim);
  return text !== '' && text.length <= MAX_CLAIM_LENGTH && !/\p{Cc}/u.test(text) ? text : undefined;
}

function rolesOf(claim: unknown): readonly string[] {
  if (claim === undefined) return NO_ROLES;
  const isList = Array.isArray(claim) && claim.length <= MAX_ROLES && claim.every(isRole);
  if (isList) return Object.freeze([...claim]);
  throw new CarrelError(
    'unauthenticated',
    `the token's "roles" must be a list of at most ${MAX_ROLES} texts of 1 to 128 visible characters`,
  );
}

const NO_ROLES: readonly string[] = Object.freeze([]);

/** True for what can stand in the claim `roles`. */
export function isRole(value: unknown): boolean {
  return typeof value === 'string' && ROLE_PATTERN.test(value);
}

/** Why jose refused a token, in our words; never with a part of the token in it. */
export function refusalOf(error: unknown): CarrelError {
  if (error instanceof errors.JWTExpired)
    return new CarrelError('token_expired', 'the token has expired: send a new one');
  if (error instanceof errors.JWTClaimValidationFailed) {
    return new CarrelError(
      'unauthenticated',
      `the token's claim "${error.claim}" is missing or not what this server expects`,
    );
  }
  if (isAboutTheToken(error)) {
    return new CarrelError(
      'unauthenticated',
      'the token is malformed, or not signed with a key that this server trusts',
    );
  }
  return new CarrelError('keys_unavailable', KEYS_AWAY, { cause: error });
}

/** Everything else is about the keys: the identity provider is away, or answers nonsense. */
function isAboutTheToken(error: unknown): boolean {
  if (!(error instanceof errors.JOSEError)) return false;
  return !NOT_ABOUT_THE_TOKEN.includes(error.code);
}

const NOT_ABOUT_THE_TOKEN = [errors.JOSEError.code, errors.JWKSTimeout.code, errors.JWKSInvalid.code];
