import type { UserId } from '../shared/ids.js';

/** What a verified token says. The only source of a user's id. */
export interface Identity {
  readonly userId: UserId;
  readonly roles: readonly string[];
  /** Those claims that the configuration asks for, as texts. */
  readonly claims: Readonly<Record<string, string>>;
  /** When the token ends, in milliseconds since the Unix epoch. */
  readonly expiresAtMs: number;
}
