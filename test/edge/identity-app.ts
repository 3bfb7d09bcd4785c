import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type ArgumentsHost,
  Body,
  Catch,
  Controller,
  type ExceptionFilter,
  Get,
  Logger,
  Module,
  Post,
  Scope,
} from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import type { FastifyReply } from 'fastify';
import { SignJWT } from 'jose';
import { Logger as NestPinoLogger } from 'nestjs-pino';
import { CARREL_CONFIG, type CarrelConfig } from '../../src/config/config.js';
import { loadConfig, type SettingOverrides } from '../../src/config/load-config.js';
import { ContextModule } from '../../src/context/context.module.js';
import { UserExecutionContext } from '../../src/context/user-execution-context.js';
import { HttpIdentity } from '../../src/edge/http-identity.js';
import { HttpTraces } from '../../src/edge/http-traces.js';
import { Tracing } from '../../src/execution/tracing/tracing.service.js';
import { HttpLogging } from '../../src/edge/http-logging.js';
import { createLogger, LoggingModule } from '../../src/edge/logging.js';
import { toProblem } from '../../src/edge/problem.js';
import { signToken } from '../../src/edge/token-signer.js';
import { TokenVerifier } from '../../src/edge/token-verifier.service.js';
import { CLOCK, systemClock, type Clock } from '../../src/shared/clock.js';

/** A clock that only moves when a test moves it. */
export class StagedClock implements Clock {
  constructor(private ms = systemClock.now()) {}

  now(): number {
    return this.ms;
  }

  advance(ms: number): void {
    this.ms += ms;
  }

  after(): () => void {
    throw new Error('identity sets no timers');
  }
}

/** What the request-scoped controller was given, as the caller sees it. */
@Controller({ path: 'v1', scope: Scope.REQUEST })
class WhoAmIController {
  private readonly logger = new Logger('WhoAmI');

  constructor(private readonly context: UserExecutionContext) {}

  @Get('whoami')
  get(): object {
    return this.shown();
  }

  @Post('whoami')
  async post(@Body() body: Record<string, unknown>): Promise<object> {
    await new Promise((resolve) => setImmediate(resolve));
    this.logger.log({ body }, 'in the handler');
    return this.shown();
  }

  private shown(): object {
    const { userId, roles, requestId, audit } = this.context;
    return { userId, roles, requestId, audit };
  }
}

@Controller()
class OpenController {
  @Get(['health', 'ready', 'info', 'docs', 'docs-json', 'docs/static/app.js', 'metrics', 'healthy', 'docsx'])
  get(): object {
    return { ok: true };
  }
}

@Catch()
class ProblemFilter implements ExceptionFilter {
  catch(error: unknown, host: ArgumentsHost): void {
    const problem = toProblem(error);
    void host
      .switchToHttp()
      .getResponse<FastifyReply>()
      .status(problem.status)
      .header('content-type', 'application/problem+json')
      .send(JSON.stringify(problem));
  }
}

export interface IdentityApp extends AsyncDisposable {
  app: NestFastifyApplication;
  url: string;
  config: CarrelConfig;
  clock: StagedClock;
  verifier: TokenVerifier;
  /** Lines that were logged so far. */
  lines(): Record<string, unknown>[];
  /** A good token of the app's own key source. */
  token(userId: string, roles?: readonly string[], ttlSeconds?: number): Promise<string>;
  get(path: string, headers?: Record<string, string>): Promise<Response>;
}

const madeDirs: string[] = [];
afterAll(() => madeDirs.forEach((dir) => rmSync(dir, { recursive: true, force: true })));

/** A fresh folder, removed after the file's tests. */
export function newDataDir(): string {
  const dir = mkdtempSync(join(tmpdir(), 'carrel-identity-'));
  madeDirs.push(dir);
  return dir;
}

/** A real, small Nest application on Fastify with identity and logging, and nothing else of the server. */
export async function startIdentityApp(settings: SettingOverrides = {}, cors = false): Promise<IdentityApp> {
  const dir = newDataDir();
  const config = loadConfig(
    {},
    { CARREL_DATA_DIR: dir, CARREL_LOG_PRETTY: 'false', CARREL_METRICS: 'operators', ...settings },
  );
  const clock = new StagedClock();
  const written: string[] = [];
  const destination = { write: (line: string) => void written.push(line) };

  @Module({
    imports: [ContextModule, LoggingModule.forRoot(config.log, createLogger(config.log, destination))],
    controllers: [WhoAmIController, OpenController],
    providers: [
      { provide: CARREL_CONFIG, useValue: config },
      { provide: CLOCK, useValue: clock },
      { provide: APP_FILTER, useClass: ProblemFilter },
      TokenVerifier,
      HttpIdentity,
      HttpTraces,
      { provide: Tracing, useFactory: () => Tracing.open(config) },
      HttpLogging,
    ],
  })
  class IdentityTestModule {}

  const module = await Test.createTestingModule({ imports: [IdentityTestModule] }).compile();
  const app = module.createNestApplication<NestFastifyApplication>(new FastifyAdapter(), { logger: false });
  app.useLogger(app.get(NestPinoLogger));
  if (cors) app.enableCors({ origin: ['https://app.example.org'] });
  await app.listen(0, '127.0.0.1');
  const url = await app.getUrl();
  return {
    app,
    url,
    config,
    clock,
    verifier: app.get(TokenVerifier),
    lines: () => written.map((line) => JSON.parse(line) as Record<string, unknown>),
    token: (userId, roles, ttlSeconds = 3600) => signToken(config, { userId, roles, ttlSeconds }, clock),
    get: (path, headers = {}) => fetch(`${url}${path}`, { headers }),
    async [Symbol.asyncDispose]() {
      await app.close();
    },
  };
}

/** Claims of a good token at a moment; to be broken one at a time. */
export function goodClaims(clock: Clock): Record<string, unknown> {
  const seconds = Math.floor(clock.now() / 1000);
  return { sub: 'alice', iss: 'carrel', aud: 'carrel', iat: seconds, exp: seconds + 600 };
}

export const HS256_SECRET = 'a secret of more than thirty-two bytes';

export function signWithSecret(
  claims: Record<string, unknown>,
  secret: string | Uint8Array = HS256_SECRET,
): Promise<string> {
  const key = typeof secret === 'string' ? new TextEncoder().encode(secret) : secret;
  return new SignJWT(claims).setProtectedHeader({ alg: 'HS256' }).sign(key);
}

export function newPemPair(type: 'ed25519' | 'rsa' | 'ec') {
  const pair =
    type === 'rsa'
      ? generateKeyPairSync('rsa', { modulusLength: 2048 })
      : type === 'ec'
        ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
        : generateKeyPairSync('ed25519');
  return { ...pair, publicPem: pair.publicKey.export({ type: 'spki', format: 'pem' }).toString() };
}
