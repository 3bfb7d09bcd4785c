import { Inject, Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import { errors, jwtVerify, type JWTPayload, type JWTVerifyOptions } from 'jose';
import { LRUCache } from 'lru-cache';
import { CARREL_CONFIG, type CarrelConfig } from '../config/config.js';
import { CLOCK, type Clock } from '../shared/clock.js';
import { CarrelError } from '../shared/errors.js';
import type { Identity } from './identity.js';
import { identityOf, refusalOf } from './token-claims.js';
import { openTokenKeys, type TokenKeys } from './token-keys.js';

/** Longer texts are no tokens of anybody's. */
const MAX_TOKEN_LENGTH = 8 * 1024;
/** A key that the identity provider takes back counts no longer than this. */
const REMEMBERED_MS = 60_000;

interface Remembered {
  readonly identity: Identity;
  readonly untilMs: number;
}

/** Turns tokens into identities: the only place where a user's id comes into the server. */
@Injectable()
export class TokenVerifier implements OnModuleInit {
  private readonly logger = new Logger(TokenVerifier.name);
  private readonly remembered: LRUCache<string, Remembered>;
  private keys: Promise<TokenKeys> | undefined;

  constructor(
    @Inject(CARREL_CONFIG) private readonly config: CarrelConfig,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {
    this.remembered = new LRUCache({ maxSize: config.auth.cacheBytes, sizeCalculation: (_, token) => token.length });
  }

  /** Opens the key source, so that an unusable one stops the boot. */
  async onModuleInit(): Promise<void> {
    await this.openKeys();
  }

  /**
   * Verifies signature, issuer, audience, time and user id.
   *
   * @throws CarrelError `unauthenticated` | `token_expired`, or `keys_unavailable` when the identity provider can't be asked
   */
  async verify(token: string): Promise<Identity> {
    const known = this.verifyCached(token);
    if (known) return known;
    if (token.length === 0 || token.length > MAX_TOKEN_LENGTH) {
      throw new CarrelError('unauthenticated', `a token has 1 to ${MAX_TOKEN_LENGTH} characters`);
    }
    const { auth, mcp } = this.config;
    const identity = identityOf(await this.claimsOf(token), auth.clockToleranceSeconds, mcp.claims);
    this.remembered.set(token, { identity, untilMs: Math.min(identity.expiresAtMs, this.clock.now() + REMEMBERED_MS) });
    return identity;
  }

  /** The identity of a token that was verified within the last minute and still counts; costs no cryptography. */
  verifyCached(token: string): Identity | undefined {
    const known = this.remembered.get(token);
    if (!known) return undefined;
    if (this.clock.now() < known.untilMs) return known.identity;
    this.remembered.delete(token);
    return undefined;
  }

  private async claimsOf(token: string): Promise<JWTPayload> {
    const keys = await this.openKeys();
    const options = this.optionsFor(keys);
    try {
      return (await jwtVerify(token, keys.getKey, options)).payload;
    } catch (error) {
      if (error instanceof errors.JWKSMultipleMatchingKeys) return await claimsByAnyOf(error, token, options);
      throw this.refused(error);
    }
  }

  private refused(error: unknown): CarrelError {
    const refusal = refusalOf(error);
    if (refusal.code === 'keys_unavailable') this.logger.error({ err: error }, 'the keys can not be fetched');
    return refusal;
  }

  private optionsFor(keys: TokenKeys): JWTVerifyOptions {
    const { issuer, audience, clockToleranceSeconds } = this.config.auth;
    return {
      algorithms: keys.algorithms,
      issuer,
      audience,
      clockTolerance: clockToleranceSeconds,
      currentDate: new Date(this.clock.now()),
      requiredClaims: ['exp', 'sub'],
    };
  }

  private openKeys(): Promise<TokenKeys> {
    return (this.keys ??= openTokenKeys(this.config.auth.key));
  }
}

/** A token without a `kid` may be signed by any of several keys: jose hands them out one by one. */
async function claimsByAnyOf(
  keys: errors.JWKSMultipleMatchingKeys,
  token: string,
  options: JWTVerifyOptions,
): Promise<JWTPayload> {
  for await (const key of keys) {
    try {
      return (await jwtVerify(token, key, options)).payload;
    } catch (error) {
      if (!(error instanceof errors.JWSSignatureVerificationFailed)) throw refusalOf(error);
    }
  }
  throw refusalOf(keys);
}
