import { z } from 'zod';
import { LOG_LEVELS } from './log-level.js';
import { isHttpUrl, isOrigin } from './server-urls.js';
import { SEVERAL_NODES } from './several-nodes.settings.js';
import { integer, list, MAX_MS, oneOf, optionalText, SETTING_FACTS, text, type SettingFacts } from './setting.js';

const MAX_BYTES = 100 * 1024 * 1024;

/** Every setting there is: the environment, the command line, the error messages and docs/configuration.md come from here. */
export const ENV_SCHEMA = z.object({
  PORT: integer(0, 65535, 3000, { group: 'Server', about: 'Port to listen on; 0 picks a free one' }),
  HOST: text('127.0.0.1', {
    group: 'Server',
    about: 'Address to listen on; 0.0.0.0 for every network',
    accepts: 'an address or a host name',
    placeholder: 'host',
  }),
  NODE_ENV: oneOf(['production', 'development', 'test'], 'development', {
    group: 'Server',
    about: 'In production, tokens need a configured key',
    environmentOnly: true,
  }),
  CARREL_CORS_ORIGINS: list(isOrigin, {
    group: 'Server',
    about: 'Web sites whose pages may call this server, besides its own',
    accepts: 'origins with commas between, such as https://app.example.org,https://admin.example.org',
    placeholder: 'origins',
  }),
  CARREL_BODY_LIMIT_BYTES: integer(1024, MAX_BYTES, 1024 * 1024, {
    group: 'Server',
    about: 'Largest request body, and largest message on a socket',
    unit: 'bytes',
  }),
  CARREL_ACCEPT_SHARED_STATE: oneOf(['true', 'false'], 'false', {
    group: 'Server',
    about: 'Also takes calls with the shared state object of old clients, at POST /v1/legacy/execute',
  }),
  CARREL_METRICS: oneOf(['auto', 'open', 'operators', 'off'], 'auto', {
    group: 'Server',
    about: 'Who may read /metrics; auto: everybody on a loopback address, else operators',
  }),
  CARREL_DRAIN_MS: integer(0, MAX_MS, 10_000, {
    group: 'Server',
    about: 'How long a stopping server waits for its runs',
    unit: 'ms',
  }),

  CARREL_JWT_SECRET: optionalText((value) => Buffer.byteLength(value) >= 32, {
    group: 'Identity',
    about: 'Key source: the secret that HS256 tokens are signed with (as a flag, others on the machine can see it)',
    accepts: 'a secret of at least 32 bytes, such as `openssl rand -base64 48` makes',
    placeholder: 'secret',
    secret: true,
  }),
  CARREL_JWKS_URL: optionalText(isHttpUrl, {
    group: 'Identity',
    about: 'Key source: where the identity provider publishes its keys (RS, PS, ES or EdDSA)',
    accepts: 'an http(s) URL without a user name or password in it',
    placeholder: 'url',
  }),
  CARREL_JWT_PUBLIC_KEY_FILE: optionalText(() => true, {
    group: 'Identity',
    about: 'Key source: a file with a public key (PEM) or keys (JWK, JWKS)',
    accepts: 'the path of a file',
    placeholder: 'file',
  }),
  CARREL_JWT_ISSUER: text('carrel', { group: 'Identity', about: 'What the claim `iss` of a token must be' }),
  CARREL_JWT_AUDIENCE: text('carrel', {
    group: 'Identity',
    about: 'What the claim `aud` of a token must be or contain',
  }),
  CARREL_JWT_CLOCK_TOLERANCE_S: integer(0, 600, 30, {
    group: 'Identity',
    about: 'How far the clock of whoever signs tokens may be off',
    unit: 's',
  }),
  CARREL_JWT_CACHE_BYTES: integer(8 * 1024, 1024 * 1024 * 1024, 16 * 1024 * 1024, {
    group: 'Identity',
    about: 'Verified tokens are remembered for up to a minute; all of them together take at most so much',
    unit: 'bytes',
  }),

  CARREL_DATA_DIR: text('.carrel', {
    group: 'Data',
    about: "Folder of the server's files",
    accepts: 'the path of a folder',
    placeholder: 'dir',
    shortFlag: '--data',
  }),
  CARREL_DATA_SYNC: oneOf(['full', 'normal'], 'full', {
    group: 'Data',
    about: 'What is written survives a power cut (full), or only the end of the process (normal)',
  }),
  CARREL_JOURNAL_DAYS: integer(1, 36_500, 30, {
    group: 'Data',
    about: 'How long the events of ended runs are kept',
    unit: 'days',
  }),
  CARREL_AUDIT_DAYS: integer(1, 36_500, 365, {
    group: 'Data',
    about: 'How long it is kept what operators did',
    unit: 'days',
  }),

  ...SEVERAL_NODES,

  CARREL_USER_MAX_RUNNING: integer(1, 10_000, 3, {
    group: "A user's share",
    about: 'Runs of one user that may be under way at once',
  }),
  CARREL_USER_MAX_QUEUED: integer(0, 1_000_000, 100, {
    group: "A user's share",
    about: 'Runs of one user that may wait besides',
  }),
  CARREL_USER_MAX_SOCKETS: integer(1, 10_000, 5, { group: "A user's share", about: 'Sockets of one user' }),
  CARREL_USER_STARTS_PER_MINUTE: integer(1, 10_000_000, 60, {
    group: "A user's share",
    about: 'Runs that one user may start in a minute',
  }),
  CARREL_USER_MAX_SUSPENDED: integer(0, 1_000_000, 1_000, {
    group: "A user's share",
    about: 'Runs of one user that may wait for a person or for time, without a place in the lane',
  }),
  CARREL_USER_MAX_SCHEDULES: integer(0, 100_000, 50, {
    group: "A user's share",
    about: 'Recurring runs of one user',
  }),

  CARREL_RUN_SLOTS: integer(1, 100_000, 64, {
    group: 'Runs',
    about: 'Runs of all users that this process carries out at once',
  }),
  CARREL_RUN_TIMEOUT_MS: integer(1, MAX_MS, 300_000, {
    group: 'Runs',
    about: 'Time limit of a run, retries included, unless its agent declares another',
    unit: 'ms',
  }),
  CARREL_ATTEMPT_TIMEOUT_MS: integer(1, MAX_MS, 30_000, {
    group: 'Runs',
    about: 'Time limit of one attempt, unless its agent declares another',
    unit: 'ms',
  }),
  CARREL_NO_PROGRESS_MS: integer(1, MAX_MS, 60_000, {
    group: 'Runs',
    about: 'An attempt that does nothing for so long is declared dead',
    unit: 'ms',
  }),
  CARREL_RETRY_ATTEMPTS: integer(1, 100, 3, {
    group: 'Runs',
    about: 'Attempts of a run in all, unless its agent declares another number',
  }),
  CARREL_RETRY_BASE_MS: integer(0, MAX_MS, 2_000, {
    group: 'Runs',
    about: 'Delay before the second attempt; doubled, with jitter, before each further one',
    unit: 'ms',
  }),
  CARREL_CANCEL_GRACE_MS: integer(0, MAX_MS, 5_000, {
    group: 'Runs',
    about: 'How long a cancelled agent has to stop by itself',
    unit: 'ms',
  }),
  CARREL_APPROVAL_TTL_MS: integer(1, MAX_MS, 86_400_000, {
    group: 'Runs',
    about: 'How long a question waits for its answer, unless the agent says otherwise',
    unit: 'ms',
  }),

  CARREL_METADATA_BYTES: integer(2, 1024 * 1024, 16 * 1024, {
    group: 'Limits',
    about: 'Largest metadata of a run or thread',
    unit: 'bytes',
  }),
  CARREL_EVENT_DATA_BYTES: integer(1024, MAX_BYTES, 32 * 1024, {
    group: 'Limits',
    about: 'Largest data of one event; what is longer is cut, and says so',
    unit: 'bytes',
  }),
  CARREL_JSON_DEPTH: integer(1, 100, 10, {
    group: 'Limits',
    about: 'How deep inputs, metadata and results may be nested',
  }),
  CARREL_RUN_MAX_STEPS: integer(1, 1_000_000, 10_000, {
    group: 'Limits',
    about: 'Steps that one run may have, those of its children included',
  }),
  CARREL_THREAD_MAX_MESSAGES: integer(1, 1_000_000, 10_000, {
    group: 'Limits',
    about: "Messages that are kept of one thread's conversation; beyond it those of the oldest runs go",
  }),
  CARREL_SOCKET_BACKLOG: integer(1, 1_000_000, 128, {
    group: 'Limits',
    about: 'Packets that may wait for a slow socket before it is caught up from the journal instead',
  }),

  CARREL_MCP_FILE: optionalText(() => true, {
    group: 'Tools and models',
    about: 'The MCP servers, as MCP users know it (`mcpServers`), and the policy for tools; without it there are none',
    accepts: 'the path of a file',
    placeholder: 'file',
  }),
  CARREL_MODELS_FILE: optionalText(() => true, {
    group: 'Tools and models',
    about: 'The language models, their prices and the budgets of users; without it there are none',
    accepts: 'the path of a file',
    placeholder: 'file',
  }),
  CARREL_TOOL_TIMEOUT_MS: integer(1, MAX_MS, 60_000, {
    group: 'Tools and models',
    about: 'Time limit of one call of a tool; signs of life do not lengthen it',
    unit: 'ms',
  }),
  CARREL_TOOL_RESULT_BYTES: integer(1024, MAX_BYTES, 256 * 1024, {
    group: 'Tools and models',
    about: 'Largest answer of a tool',
    unit: 'bytes',
  }),
  CARREL_MCP_USER_MAX_CONNECTIONS: integer(1, 10_000, 8, {
    group: 'Tools and models',
    about: 'MCP servers (processes, or sessions) that one user may have open',
  }),
  CARREL_MCP_MAX_CONNECTIONS: integer(1, 100_000, 200, {
    group: 'Tools and models',
    about: 'MCP servers that all users together may have open',
  }),
  CARREL_MCP_IDLE_MS: integer(1_000, MAX_MS, 300_000, {
    group: 'Tools and models',
    about: 'A server that its user has not used for so long is closed',
    unit: 'ms',
  }),
  CARREL_MCP_CONNECT_TIMEOUT_MS: integer(100, MAX_MS, 15_000, {
    group: 'Tools and models',
    about: 'How long a server may take to start and to say what it is',
    unit: 'ms',
  }),

  OTEL_EXPORTER_OTLP_ENDPOINT: optionalText(isHttpUrl, {
    group: 'Logging',
    about: 'Where traces are sent (OpenTelemetry, OTLP over HTTP); without it nothing is traced',
    accepts: 'an http(s) URL without a user name or password in it',
    placeholder: 'url',
  }),
  OTEL_SERVICE_NAME: text('carrel', { group: 'Logging', about: 'What this server is called in traces' }),
  CARREL_TRACES_CONTENT: oneOf(['true', 'false'], 'false', {
    group: 'Logging',
    about: 'Whether traces have the inputs and results of runs, redacted and cut',
  }),
  CARREL_LOG_LEVEL: oneOf(LOG_LEVELS, 'info', {
    group: 'Logging',
    about: 'How much is logged, from fatal to trace, or nothing (silent)',
    placeholder: 'level',
  }),
  CARREL_LOG_PRETTY: oneOf(['auto', 'true', 'false'], 'auto', {
    group: 'Logging',
    about: 'Logs for people instead of JSON lines; auto: when the output is a terminal',
  }),
});

/** All settings after reading, by variable. */
export type Settings = z.output<typeof ENV_SCHEMA>;
export type SettingName = keyof Settings;

export type Setting = SettingFacts & { name: SettingName };

/** Every setting's name and facts, in the order of the table. */
export const SETTINGS: readonly Setting[] = ENV_SCHEMA.keyof().options.map((name) => {
  const facts = SETTING_FACTS.get(ENV_SCHEMA.shape[name]);
  if (!facts) throw new Error(`${name} has no facts`);
  return { ...facts, name };
});

/** The variable's names on the command line: `CARREL_USER_MAX_RUNNING` → `--user-max-running`. None: not settable there. */
export function flagsOf({ name, shortFlag, environmentOnly }: Setting): string[] {
  if (environmentOnly) return [];
  const flag = `--${name
    .replace(/^CARREL_/, '')
    .toLowerCase()
    .replaceAll('_', '-')}`;
  return shortFlag ? [shortFlag, flag] : [flag];
}
