import { resolve } from 'node:path';
import { loadConfig } from '../../src/config/load-config.js';
import { isCarrelError } from '../../src/shared/errors.js';

function problemsOf(env: NodeJS.ProcessEnv, overrides = {}): string[] {
  try {
    loadConfig(env, overrides);
  } catch (error) {
    if (isCarrelError(error) && error.code === 'invalid_config') return error.message.split('\n');
    throw error;
  }
  throw new Error('the configuration was accepted');
}

describe('the configuration without any setting', () => {
  const config = loadConfig({});

  it('is the embedded default of the design', () => {
    expect(config).toEqual({
      production: false,
      http: {
        host: '127.0.0.1',
        port: 3000,
        bodyLimitBytes: 1_048_576,
        corsOrigins: [],
        acceptSharedState: false,
        metrics: 'open',
      },
      auth: {
        key: { kind: 'generated', path: resolve('.carrel/keys/signing-key.pem') },
        issuer: 'carrel',
        audience: 'carrel',
        clockToleranceSeconds: 30,
        cacheBytes: 16_777_216,
      },
      profile: { kind: 'embedded' },
      data: {
        dir: resolve('.carrel'),
        sync: 'full',
        retentionMs: 30 * 86_400_000,
        auditRetentionMs: 365 * 24 * 60 * 60 * 1_000,
      },
      lane: {
        maxRunning: 3,
        maxQueued: 100,
        startsPerMinute: 60,
        maxSuspended: 1_000,
        maxSchedules: 50,
        maxSockets: 5,
      },
      runs: {
        slots: 64,
        deadlineMs: 300_000,
        attemptTimeoutMs: 30_000,
        noProgressMs: 60_000,
        retryAttempts: 3,
        retryBaseMs: 2_000,
        cancelGraceMs: 5_000,
        approvalTtlMs: 86_400_000,
      },
      limits: {
        metadataBytes: 16_384,
        eventDataBytes: 32_768,
        jsonDepth: 10,
        runSteps: 10_000,
        threadMessages: 10_000,
        socketBacklog: 128,
      },
      tools: { timeoutMs: 60_000, resultBytes: 262_144 },
      mcp: {
        servers: [],
        policy: {},
        claims: [],
        environment: {},
        workDir: resolve('.carrel/mcp'),
        userMaxConnections: 8,
        maxConnections: 200,
        idleMs: 300_000,
        connectTimeoutMs: 15_000,
      },
      log: { level: 'info', pretty: Boolean(process.stdout.isTTY) },
      drainMs: 10_000,
    });
  });

  it('can not be changed by anybody who has it', () => {
    expect(() => Object.assign(config.lane, { maxRunning: 99 })).toThrow(TypeError);
    expect(() => Object.assign(config.auth.key, { kind: 'secret' })).toThrow(TypeError);
  });
});

describe('a setting', () => {
  it('comes from the command line before the environment', () => {
    const env = { CARREL_USER_MAX_RUNNING: '7', CARREL_USER_MAX_QUEUED: '8' };
    expect(loadConfig(env, { CARREL_USER_MAX_RUNNING: '9' }).lane).toMatchObject({ maxRunning: 9, maxQueued: 8 });
  });

  it('counts as not set when it is empty', () => {
    expect(loadConfig({ PORT: '', CARREL_JWT_SECRET: '', CARREL_CORS_ORIGINS: ' ' })).toEqual(loadConfig({}));
  });

  it('may have blanks around it', () => {
    expect(loadConfig({ PORT: ' 8080 ' }).http.port).toBe(8080);
  });

  it('may be a list', () => {
    const { corsOrigins } = loadConfig({ CARREL_CORS_ORIGINS: 'https://a.example.org, http://localhost:5173' }).http;
    expect(corsOrigins).toEqual(['https://a.example.org', 'http://localhost:5173']);
  });
});

describe('a bad value is refused with the variable, the value and what it may be', () => {
  it.each<[string, string, RegExp]>([
    ['PORT', '65536', /^PORT is "65536": it must be a whole number from 0 to 65535$/],
    ['PORT', '-1', /a whole number/],
    ['PORT', '80.5', /a whole number/],
    ['PORT', '0x50', /a whole number/],
    ['PORT', '1e3', /a whole number/],
    ['PORT', '99999999999999999999', /a whole number/],
    ['CARREL_USER_MAX_RUNNING', '0', /from 1 to/],
    [
      'CARREL_RUN_TIMEOUT_MS',
      '5m',
      /^CARREL_RUN_TIMEOUT_MS is "5m": it must be a whole number of milliseconds from 1 to/,
    ],
    ['CARREL_RUN_TIMEOUT_MS', '2147483648', /to 2147483647/],
    ['CARREL_DATA_SYNC', 'off', /one of full, normal$/],
    ['CARREL_LOG_LEVEL', 'verbose', /one of fatal, error, warn, info, debug, trace, silent$/],
    ['CARREL_LOG_PRETTY', 'yes', /one of auto, true, false$/],
    ['NODE_ENV', 'prod', /one of production, development, test$/],
    ['CARREL_CORS_ORIGINS', '*', /origins with commas/],
    ['CARREL_CORS_ORIGINS', 'https://a.example.org/path', /origins with commas/],
    ['CARREL_CORS_ORIGINS', 'https://a.example.org,,', /origins with commas/],
    ['CARREL_JWKS_URL', 'id.example.org', /an http\(s\) URL/],
    ['CARREL_JWKS_URL', 'file:///etc/passwd', /an http\(s\) URL/],
    ['CARREL_JWKS_URL', 'https://me:pw@id.example.org/', /without a user name/],
    ['CARREL_JWT_ISSUER', 'x'.repeat(1025), /a text of 1 to 1024/],
    ['CARREL_REDIS_PREFIX', 'a:b', /1 to 64 letters, digits/],
    ['CARREL_ROLE', 'boss', /one of all, api, worker$/],
  ])('%s=%s', (name, value, message) => {
    const problems = problemsOf({ [name]: value });
    expect(problems).toEqual([expect.stringMatching(message)]);
    expect(problems[0]).toContain(name);
    expect(problems[0]).toContain(JSON.stringify(value));
  });

  it('but never with a secret', () => {
    const [problem] = problemsOf({ CARREL_JWT_SECRET: 'hunter2' });
    expect(problem).toMatch(/^CARREL_JWT_SECRET is not usable: it must be a secret of at least 32 bytes/);
    expect(problem).not.toContain('hunter2');
  });

  it('and names the flag when that is where it came from', () => {
    expect(problemsOf({}, { CARREL_DATA_SYNC: 'x' })[0]).toMatch(/^--data-sync \(CARREL_DATA_SYNC\) is "x"/);
  });

  it('all of them at once', () => {
    const problems = problemsOf({ PORT: 'a', CARREL_RUN_SLOTS: '0', CARREL_LOG_LEVL: 'info', NODE_ENV: 'production' });
    expect(problems.map((line) => line.split(' ')[0])).toEqual([
      'PORT',
      'CARREL_RUN_SLOTS',
      'NODE_ENV',
      'CARREL_LOG_LEVL',
    ]);
  });
});

describe('an unknown CARREL_ variable', () => {
  it.each([
    ['CARREL_USER_MAX_RUNING', 'CARREL_USER_MAX_RUNNING'],
    ['CARREL_MAX_RUNNING', 'CARREL_USER_MAX_RUNNING'],
    ['CARREL_PORT', 'PORT'],
    ['CARREL_LOGLEVEL', 'CARREL_LOG_LEVEL'],
    ['CARREL_JWT_SECRETS', 'CARREL_JWT_SECRET'],
  ])('%s is refused with the nearest name', (name, nearest) => {
    expect(problemsOf({ [name]: 'hunter2' })).toEqual([`${name} is not a setting: did you mean ${nearest}?`]);
  });

  it('that is like none is refused with where to look', () => {
    expect(problemsOf({ CARREL_XYZ: '1' })).toEqual([
      'CARREL_XYZ is not a setting; `carrel start --help` lists them all',
    ]);
  });

  it('is nobody else\'s business: Kubernetes may describe a service called "carrel"', () => {
    const env = {
      CARREL_PORT: 'tcp://10.0.0.1:3000',
      CARREL_SERVICE_HOST: '10.0.0.1',
      CARREL_SERVICE_PORT: '3000',
      CARREL_SERVICE_PORT_HTTP: '3000',
      CARREL_PORT_3000_TCP: 'tcp://10.0.0.1:3000',
      CARREL_PORT_3000_TCP_ADDR: '10.0.0.1',
      CARREL_PORT_3000_TCP_PORT: '3000',
      CARREL_PORT_3000_TCP_PROTO: 'tcp',
      CARREL_REDIS_SERVICE_HOST: '10.0.0.2',
      CARREL_REDIS_PORT: 'tcp://10.0.0.2:6379',
      CARREL_REDIS_PORT_6379_TCP: 'tcp://10.0.0.2:6379',
    };
    expect(loadConfig(env)).toEqual(loadConfig({}));
  });
});

describe('the key source', () => {
  const secret = 's'.repeat(32);

  it.each([
    [{ CARREL_JWT_SECRET: secret }, { kind: 'secret', secret }],
    [{ CARREL_JWKS_URL: 'https://id.example.org/jwks' }, { kind: 'jwks', url: 'https://id.example.org/jwks' }],
    [{ CARREL_JWT_PUBLIC_KEY_FILE: '/etc/key.pem' }, { kind: 'file', path: '/etc/key.pem' }],
  ])('can be configured, also in production (case %#)', (env, key) => {
    const config = loadConfig({ NODE_ENV: 'production', ...env });
    expect(config.auth.key).toEqual(key);
    expect(config.production).toBe(true);
  });

  it('is needed in production', () => {
    expect(problemsOf({ NODE_ENV: 'production' })).toEqual([
      'NODE_ENV is "production": it needs a key to verify tokens with, so set one of ' +
        'CARREL_JWT_SECRET, CARREL_JWKS_URL, CARREL_JWT_PUBLIC_KEY_FILE',
    ]);
  });

  it('is one', () => {
    const env = { CARREL_JWT_SECRET: secret, CARREL_JWKS_URL: 'https://id.example.org/jwks' };
    const [problem] = problemsOf(env);
    expect(problem).toMatch(/^CARREL_JWT_SECRET and CARREL_JWKS_URL are set/);
    expect(problem).not.toContain(secret);
  });

  it('counts the bytes of a secret as they are', () => {
    expect(loadConfig({ CARREL_JWT_SECRET: 'ü'.repeat(16) }).auth.key).toMatchObject({ kind: 'secret' });
    expect(loadConfig({ CARREL_JWT_SECRET: ` ${secret} ` }).auth.key).toEqual({
      kind: 'secret',
      secret: ` ${secret} `,
    });
    expect(problemsOf({ CARREL_JWT_SECRET: 's'.repeat(31) })).toHaveLength(1);
  });
});

describe('the profile', () => {
  const urls = { DATABASE_URL: 'postgresql://carrel:hunter2@db/carrel', REDIS_URL: 'redis://:hunter2@cache:6379' };

  it('is distributed when both servers are named', () => {
    expect(loadConfig(urls).profile).toEqual({
      kind: 'distributed',
      databaseUrl: urls.DATABASE_URL,
      redisUrl: urls.REDIS_URL,
      redisPrefix: 'carrel',
      role: 'all',
    });
    const env = { ...urls, CARREL_REDIS_PREFIX: 'staging', CARREL_ROLE: 'worker' };
    expect(loadConfig(env).profile).toMatchObject({ redisPrefix: 'staging', role: 'worker' });
  });

  it('needs both of them, and says which one is missing', () => {
    expect(problemsOf({ DATABASE_URL: urls.DATABASE_URL })).toEqual([
      'REDIS_URL is not set, and DATABASE_URL is: several nodes need both DATABASE_URL (PostgreSQL) and REDIS_URL',
    ]);
    expect(problemsOf({ REDIS_URL: urls.REDIS_URL })).toEqual([
      'DATABASE_URL is not set, and REDIS_URL is: several nodes need both DATABASE_URL (PostgreSQL) and REDIS_URL',
    ]);
  });

  it.each(['api', 'worker'])('has no role "%s" in one process alone', (role) => {
    expect(problemsOf({ CARREL_ROLE: role })).toEqual([
      `CARREL_ROLE is "${role}": several nodes need both DATABASE_URL (PostgreSQL) and REDIS_URL`,
    ]);
    expect(loadConfig({ CARREL_ROLE: 'all' }).profile.kind).toBe('embedded');
  });

  it.each([
    ['DATABASE_URL', 'mysql://u:hunter2@db/carrel', /the URL of a database, such as postgresql:/],
    ['DATABASE_URL', 'hunter2', /the URL of a database/],
    ['REDIS_URL', 'http://u:hunter2@cache:6379', /the URL of a Redis server, such as redis:/],
    ['REDIS_URL', 'redis:hunter2', /the URL of a Redis server/],
  ])('refuses another %s without showing it (case %#)', (name, value, message) => {
    const [problem, ...others] = problemsOf({ ...urls, [name]: value });
    expect(problem).toMatch(message);
    expect(problem).not.toContain('hunter2');
    expect(others).toEqual([]);
  });
});
