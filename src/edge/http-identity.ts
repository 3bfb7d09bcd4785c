import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { CARREL_CONFIG, type CarrelConfig } from '../config/config.js';
import { carryContext } from '../context/context-carrier.js';
import { CLOCK, type Clock } from '../shared/clock.js';
import { CarrelError, isCarrelError } from '../shared/errors.js';
import type { RequestId } from '../shared/ids.js';
import { runInLogScope } from '../shared/log-scope.js';
import { runInSpan } from '../shared/trace-span.js';
import { fastifyOf } from './fastify-instance.js';
import { HttpTraces } from './http-traces.js';
import type { Identity } from './identity.js';
import { carryIdentity } from './identity-carrier.js';
import { buildRequestContext, factsOf, requestIdFrom } from './request-context.js';
import { TokenVerifier } from './token-verifier.service.js';

/** Whoever asks may have these, without a token; named by route, so that no spelling of a path gets past. */
const OPEN_ROUTES = /^\/(health|ready|info|docs(-json|-yaml)?|docs\/.*|asyncapi\.json|console(\/.*)?)$/;

type Done = (error?: Error) => void;

/**
 * The one door for identity over HTTP: a Fastify hook that runs before Nest builds anything for the request. It reads
 * the `Authorization` header and nothing else, and binds the caller's context to the request.
 */
@Injectable()
export class HttpIdentity implements OnModuleInit {
  constructor(
    private readonly adapterHost: HttpAdapterHost,
    private readonly tokens: TokenVerifier,
    @Inject(CARREL_CONFIG) private readonly config: CarrelConfig,
    private readonly traces: HttpTraces,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  onModuleInit(): void {
    fastifyOf(this.adapterHost).addHook('onRequest', (request, reply, done) => this.identify(request, reply, done));
  }

  private identify(request: FastifyRequest, reply: FastifyReply, done: Done): void {
    const requestId = requestIdFrom(request.headers['x-request-id']);
    reply.header('x-request-id', requestId);
    if (this.isOpen(request)) return runInLogScope({ requestId }, done);
    const token = bearerTokenOf(request.headers.authorization);
    if (token === undefined) return refuse(reply, done, new CarrelError('unauthenticated', MISSING_TOKEN));
    const known = this.tokens.verifyCached(token);
    if (known) return this.admit(known, request, requestId, done);
    runInLogScope({ requestId }, () => {
      this.tokens.verify(token).then(
        (identity) => this.admit(identity, request, requestId, done),
        (error: Error) => refuse(reply, done, error),
      );
    });
  }

  private isOpen({ routeOptions: { url } }: FastifyRequest): boolean {
    if (url === undefined) return false;
    return OPEN_ROUTES.test(url) || (url === '/metrics' && this.config.http.metrics !== 'operators');
  }

  private admit(identity: Identity, request: FastifyRequest, requestId: RequestId, done: Done): void {
    const facts = factsOf(request.headers, request.ip);
    const span = this.traces.begin(request, facts.traceparent);
    carryIdentity(request.raw, identity);
    // Nest's REQUEST is the Fastify request or the raw one behind it; contextCarriedBy finds it through both.
    const context = buildRequestContext(identity, facts, this.clock.now(), requestId);
    carryContext(request.raw, span ? context.traced(span) : context);
    runInLogScope({ requestId, userId: identity.userId }, span ? () => runInSpan(span, done) : done);
  }
}

const MISSING_TOKEN = 'send a token in the header "Authorization: Bearer <token>"';

function bearerTokenOf(header: string | undefined): string | undefined {
  return header === undefined ? undefined : /^Bearer +(\S+) *$/i.exec(header)?.[1];
}

function refuse(reply: FastifyReply, done: Done, error: Error): void {
  const isAboutToken = isCarrelError(error) && error.facts.status === 401;
  if (isAboutToken) {
    reply.header('www-authenticate', error.message === MISSING_TOKEN ? 'Bearer' : 'Bearer error="invalid_token"');
  }
  done(error);
}
