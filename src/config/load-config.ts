import { join, resolve } from 'node:path';
import { CarrelError } from '../shared/errors.js';
import { frozenCopy } from '../shared/json.js';
import type { AuthConfig, CarrelConfig, ProfileConfig } from './config.js';
import { ENV_SCHEMA, flagsOf, SETTINGS, type Setting, type SettingName, type Settings } from './env.schema.js';
import type { McpConfig } from './mcp-config.js';
import { readMcpFile } from './mcp-file.js';
import type { ModelsConfig } from './models-config.js';
import { readModelsFile } from './models-file.js';
import { secretsFrom } from './secrets.js';
import { problemsWithUnknownNames } from './unknown-settings.js';

/** Values as texts, by variable: what the command line sets goes before the environment. */
export type SettingOverrides = Partial<Record<SettingName, string>>;

const KEY_SOURCES = ['CARREL_JWT_SECRET', 'CARREL_JWKS_URL', 'CARREL_JWT_PUBLIC_KEY_FILE'] as const;
type McpFileFacts = Pick<McpConfig, 'servers' | 'policy' | 'claims' | 'lockFile' | 'environment'>;

const NO_MCP = { servers: [], policy: {}, claims: [] };
const DAY_MS = 24 * 60 * 60 * 1000;

/**
 * Reads and validates the whole configuration; an empty value counts as not set.
 *
 * @throws CarrelError `invalid_config`, whose message lists every problem, one a line
 */
export function loadConfig(env: NodeJS.ProcessEnv = process.env, overrides: SettingOverrides = {}): CarrelConfig {
  const given = givenValues(env, overrides);
  const parsed = ENV_SCHEMA.safeParse(given);
  const broken = new Set(parsed.error?.issues.map((issue) => issue.path[0]));
  const problems = [
    ...SETTINGS.filter(({ name }) => broken.has(name)).map((setting) => problemWith(setting, given, overrides)),
    ...problemsWithKeySources(given),
    ...problemsWithProfile(given),
    ...problemsWithUnknownNames(env),
  ];
  const mcpFile = given.CARREL_MCP_FILE;
  const mcp = mcpFile === undefined ? NO_MCP : readMcpFile(mcpFile, secretsFrom(env), problems);
  const modelsFile = given.CARREL_MODELS_FILE;
  const models = modelsFile === undefined ? undefined : readModelsFile(modelsFile, secretsFrom(env), problems);
  if (!parsed.success || problems.length > 0) throw new CarrelError('invalid_config', problems.join('\n'));
  return frozenCopy(configFrom(parsed.data, { ...mcp, environment: basicEnvironment(env) }, models));
}

/** What a process of a user's own has from this one's environment, so that its command is found and speaks the same language. */
function basicEnvironment({ PATH, LANG, TZ }: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(
    Object.entries({ PATH, LANG, TZ }).filter((entry): entry is [string, string] => !!entry[1]),
  );
}

function givenValues(env: NodeJS.ProcessEnv, overrides: SettingOverrides): SettingOverrides {
  const values: SettingOverrides = {};
  for (const { name, secret } of SETTINGS) {
    const text = overrides[name] ?? env[name];
    const value = secret ? text : text?.trim();
    if (value) values[name] = value;
  }
  return values;
}

function problemWith(setting: Setting, given: SettingOverrides, overrides: SettingOverrides): string {
  const { name, secret, accepts } = setting;
  const where = overrides[name] === undefined ? name : `${flagsOf(setting).join(', ')} (${name})`;
  return `${where} is ${secret ? 'not usable' : JSON.stringify(given[name])}: it must be ${accepts}`;
}

function problemsWithKeySources(given: SettingOverrides): string[] {
  const set = KEY_SOURCES.filter((name) => given[name] !== undefined);
  if (set.length > 1)
    return [`${set.join(' and ')} are set: tokens are verified with one key source, so keep one of them`];
  if (set.length === 0 && given.NODE_ENV === 'production') {
    const names = KEY_SOURCES.join(', ');
    return [`NODE_ENV is "production": it needs a key to verify tokens with, so set one of ${names}`];
  }
  return [];
}

/** Half of a profile is a mistake, never a reason to keep runs in a file that the other nodes can not see. */
function problemsWithProfile({ DATABASE_URL, REDIS_URL, CARREL_ROLE: role }: SettingOverrides): string[] {
  const needs = 'several nodes need both DATABASE_URL (PostgreSQL) and REDIS_URL';
  if (DATABASE_URL && !REDIS_URL) return [`REDIS_URL is not set, and DATABASE_URL is: ${needs}`];
  if (REDIS_URL && !DATABASE_URL) return [`DATABASE_URL is not set, and REDIS_URL is: ${needs}`];
  if (!DATABASE_URL && (role === 'api' || role === 'worker')) return [`CARREL_ROLE is "${role}": ${needs}`];
  return [];
}

function configFrom(s: Settings, mcp: McpFileFacts, models: ModelsConfig | undefined): CarrelConfig {
  const dataDir = resolve(s.CARREL_DATA_DIR);
  return {
    production: s.NODE_ENV === 'production',
    http: {
      host: s.HOST,
      port: s.PORT,
      bodyLimitBytes: s.CARREL_BODY_LIMIT_BYTES,
      corsOrigins: s.CARREL_CORS_ORIGINS,
      acceptSharedState: s.CARREL_ACCEPT_SHARED_STATE === 'true',
      metrics: metricsFrom(s),
    },
    auth: authFrom(s, dataDir),
    profile: profileFrom(s),
    data: {
      dir: dataDir,
      sync: s.CARREL_DATA_SYNC,
      retentionMs: s.CARREL_JOURNAL_DAYS * DAY_MS,
      auditRetentionMs: s.CARREL_AUDIT_DAYS * DAY_MS,
    },
    lane: {
      maxRunning: s.CARREL_USER_MAX_RUNNING,
      maxQueued: s.CARREL_USER_MAX_QUEUED,
      startsPerMinute: s.CARREL_USER_STARTS_PER_MINUTE,
      maxSuspended: s.CARREL_USER_MAX_SUSPENDED,
      maxSchedules: s.CARREL_USER_MAX_SCHEDULES,
      maxSockets: s.CARREL_USER_MAX_SOCKETS,
    },
    runs: {
      slots: s.CARREL_RUN_SLOTS,
      deadlineMs: s.CARREL_RUN_TIMEOUT_MS,
      attemptTimeoutMs: s.CARREL_ATTEMPT_TIMEOUT_MS,
      noProgressMs: s.CARREL_NO_PROGRESS_MS,
      retryAttempts: s.CARREL_RETRY_ATTEMPTS,
      retryBaseMs: s.CARREL_RETRY_BASE_MS,
      cancelGraceMs: s.CARREL_CANCEL_GRACE_MS,
      approvalTtlMs: s.CARREL_APPROVAL_TTL_MS,
    },
    limits: {
      metadataBytes: s.CARREL_METADATA_BYTES,
      eventDataBytes: s.CARREL_EVENT_DATA_BYTES,
      jsonDepth: s.CARREL_JSON_DEPTH,
      runSteps: s.CARREL_RUN_MAX_STEPS,
      threadMessages: s.CARREL_THREAD_MAX_MESSAGES,
      socketBacklog: s.CARREL_SOCKET_BACKLOG,
    },
    tools: { timeoutMs: s.CARREL_TOOL_TIMEOUT_MS, resultBytes: s.CARREL_TOOL_RESULT_BYTES },
    mcp: mcpFrom(s, mcp, dataDir),
    ...(models && { models }),
    ...tracesFrom(s),
    log: { level: s.CARREL_LOG_LEVEL, pretty: isPretty(s.CARREL_LOG_PRETTY) },
    drainMs: s.CARREL_DRAIN_MS,
  };
}

function mcpFrom(s: Settings, facts: McpFileFacts, dataDir: string): McpConfig {
  return {
    ...facts,
    workDir: join(dataDir, 'mcp'),
    userMaxConnections: s.CARREL_MCP_USER_MAX_CONNECTIONS,
    maxConnections: s.CARREL_MCP_MAX_CONNECTIONS,
    idleMs: s.CARREL_MCP_IDLE_MS,
    connectTimeoutMs: s.CARREL_MCP_CONNECT_TIMEOUT_MS,
  };
}

function profileFrom(s: Settings): ProfileConfig {
  const { DATABASE_URL: databaseUrl, REDIS_URL: redisUrl } = s;
  if (!databaseUrl || !redisUrl) return { kind: 'embedded' };
  return { kind: 'distributed', databaseUrl, redisUrl, redisPrefix: s.CARREL_REDIS_PREFIX, role: s.CARREL_ROLE };
}

function tracesFrom(s: Settings): Pick<CarrelConfig, 'traces'> {
  const { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_SERVICE_NAME: serviceName } = s;
  return endpoint ? { traces: { endpoint, serviceName, content: s.CARREL_TRACES_CONTENT === 'true' } } : {};
}

function isPretty(setting: Settings['CARREL_LOG_PRETTY']): boolean {
  return setting === 'auto' ? Boolean(process.stdout.isTTY) : setting === 'true';
}

/** Who can reach a loopback address may look anyway. */
function metricsFrom({ CARREL_METRICS: setting, HOST }: Settings): CarrelConfig['http']['metrics'] {
  if (setting !== 'auto') return setting;
  return /^(localhost|127\.[\d.]+|::1)$/.test(HOST) ? 'open' : 'operators';
}

function authFrom(s: Settings, dataDir: string): AuthConfig {
  return {
    key: keyFrom(s, dataDir),
    issuer: s.CARREL_JWT_ISSUER,
    audience: s.CARREL_JWT_AUDIENCE,
    clockToleranceSeconds: s.CARREL_JWT_CLOCK_TOLERANCE_S,
    cacheBytes: s.CARREL_JWT_CACHE_BYTES,
  };
}

function keyFrom(s: Settings, dataDir: string): AuthConfig['key'] {
  if (s.CARREL_JWT_SECRET) return { kind: 'secret', secret: s.CARREL_JWT_SECRET };
  if (s.CARREL_JWKS_URL) return { kind: 'jwks', url: s.CARREL_JWKS_URL };
  if (s.CARREL_JWT_PUBLIC_KEY_FILE) return { kind: 'file', path: resolve(s.CARREL_JWT_PUBLIC_KEY_FILE) };
  return { kind: 'generated', path: join(dataDir, 'keys', 'signing-key.pem') };
}
