import type { LogLevel } from './log-level.js';
import type { McpConfig } from './mcp-config.js';
import type { ModelsConfig } from './models-config.js';

/** Injection token of the `CarrelConfig`. */
export const CARREL_CONFIG = Symbol('CARREL_CONFIG');

/** The validated configuration, as the rest of the code sees it. Every field is a setting in the table of docs/configuration.md. */
export interface CarrelConfig {
  readonly production: boolean;
  readonly http: {
    readonly host: string;
    /** 0 picks a free one. */
    readonly port: number;
    readonly bodyLimitBytes: number;
    /** Origins that browsers may call from; empty: none but the server's own. */
    readonly corsOrigins: readonly string[];
    /** Also takes calls with a shared state object, for those who come from one. */
    readonly acceptSharedState: boolean;
    /** Who may read the metrics: everybody, operators, or nobody. */
    readonly metrics: 'open' | 'operators' | 'off';
  };
  readonly auth: AuthConfig;
  readonly profile: ProfileConfig;
  readonly data: {
    /** Folder of the embedded profile's files. */
    readonly dir: string;
    /** `full`: survives a power cut; `normal`: survives the end of the process. */
    readonly sync: 'full' | 'normal';
    /** Ended runs' events are kept this long. */
    readonly retentionMs: number;
    /** What operators did is kept this long. */
    readonly auditRetentionMs: number;
  };
  readonly lane: {
    readonly maxRunning: number;
    readonly maxQueued: number;
    readonly startsPerMinute: number;
    /** Runs that may wait for a person or for time, without a place in the lane. */
    readonly maxSuspended: number;
    readonly maxSchedules: number;
    readonly maxSockets: number;
  };
  readonly runs: {
    /** Runs under way at once in this process. */
    readonly slots: number;
    readonly deadlineMs: number;
    readonly attemptTimeoutMs: number;
    /** An attempt that does nothing for so long is declared dead. */
    readonly noProgressMs: number;
    readonly retryAttempts: number;
    readonly retryBaseMs: number;
    readonly cancelGraceMs: number;
    /** How long a question waits for its answer, unless the agent says otherwise. */
    readonly approvalTtlMs: number;
  };
  readonly limits: {
    readonly metadataBytes: number;
    readonly eventDataBytes: number;
    /** Nesting of inputs, metadata and results. */
    readonly jsonDepth: number;
    /** Steps of one run, those of its children included. */
    readonly runSteps: number;
    /** Messages of one thread's conversation that are kept. */
    readonly threadMessages: number;
    /** Packets that may wait for a slow socket before it is caught up from the journal instead. */
    readonly socketBacklog: number;
  };
  readonly tools: {
    /** Time limit of one call. */
    readonly timeoutMs: number;
    /** Largest answer. */
    readonly resultBytes: number;
  };
  readonly mcp: McpConfig;
  /** Undefined: there are no models. */
  readonly models?: ModelsConfig;
  /** Undefined: nothing is traced. */
  readonly traces?: {
    /** Where they are sent: OTLP over HTTP. */
    readonly endpoint: string;
    readonly serviceName: string;
    /** Whether inputs and results of runs are in them. */
    readonly content: boolean;
  };
  readonly log: { readonly level: LogLevel; readonly pretty: boolean };
  /** How long a stopping server waits for its runs. */
  readonly drainMs: number;
}

/** How tokens are verified: exactly one of the key sources. */
export interface AuthConfig {
  readonly key:
    | { readonly kind: 'secret'; readonly secret: string }
    | { readonly kind: 'jwks'; readonly url: string }
    | { readonly kind: 'file'; readonly path: string }
    /** The embedded default: a key pair generated in the data folder. */
    | { readonly kind: 'generated'; readonly path: string };
  readonly issuer: string;
  readonly audience: string;
  readonly clockToleranceSeconds: number;
  /** All remembered tokens together. */
  readonly cacheBytes: number;
}

/** What the server stands on: a file of its own, or servers that several nodes share. */
export type ProfileConfig =
  | { readonly kind: 'embedded' }
  | {
      readonly kind: 'distributed';
      /** Has a password in it, often: never to be shown. */
      readonly databaseUrl: string;
      /** Likewise. */
      readonly redisUrl: string;
      /** What the names of keys and channels in Redis begin with. */
      readonly redisPrefix: string;
      readonly role: NodeRole;
    };

/** What a node does: take requests, carry out runs, or both. */
export type NodeRole = 'all' | 'api' | 'worker';
