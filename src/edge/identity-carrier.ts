import type { Identity } from './identity.js';

/** As in `context-carrier.ts`. */
const IDENTITY = Symbol('identity');

interface Carrier {
  [IDENTITY]?: Identity;
}

/** Binds what the token said to the raw HTTP request. */
export function carryIdentity(rawRequest: object, identity: Identity): void {
  (rawRequest as Carrier)[IDENTITY] = identity;
}

/** What the token of this request said; undefined for a request that nobody was identified for. */
export function identityOf(request: { readonly raw: object }): Identity | undefined {
  return (request.raw as Carrier)[IDENTITY];
}
