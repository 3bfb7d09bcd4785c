import type { Identity } from './identity.js';

const carried = new WeakMap<object, Identity>();

/** Binds what the token said to the raw HTTP request. */
export function carryIdentity(rawRequest: object, identity: Identity): void {
  carried.set(rawRequest, identity);
}

/** What the token of this request said; undefined for a request that nobody was identified for. */
export function identityOf(request: { readonly raw: object }): Identity | undefined {
  return carried.get(request.raw);
}
