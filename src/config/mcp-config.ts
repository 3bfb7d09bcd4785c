/** One server of `mcp.json`, with its secrets filled in. Placeholders for the user are still texts: `${user.id}`, `${user.claims.x}`. */
export type McpServerConfig = McpServerBasics & (StdioServer | HttpServer);

interface McpServerBasics {
  /** Its key in the file: letters, digits, `-` and `_`, at most 64 characters. */
  readonly name: string;
  /** Names of the token's claims that its placeholders ask for. */
  readonly claims: readonly string[];
  /** The secrets that were filled in, so that they can be kept out of the log. */
  readonly secrets: readonly string[];
}

/** A process of each user's own. */
interface StdioServer {
  readonly kind: 'stdio';
  readonly command: string;
  readonly args: readonly string[];
  /** Everything that the process has in its environment, besides `PATH`, `HOME` (its working folder), `LANG` and `TZ`. */
  readonly env: Readonly<Record<string, string>>;
}

/** Streamable HTTP. */
interface HttpServer {
  readonly kind: 'http';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** What a rule is about; what it leaves out is any. `*` stands for any characters. */
export interface ToolRule {
  readonly server?: string;
  readonly tool?: string;
  /** A role that the user must have. */
  readonly role?: string;
  readonly agent?: string;
}

/**
 * What the operator says about tools: `toolPolicy` in `mcp.json`. A tool may be used if no rule of `deny` is about it and, if
 * there is an `allow`, one of its rules is. Before a call, the user is asked if a rule of `approve` is about it, or if it is
 * destructive or deals with the world outside; and is not asked if a rule of `trust` is about it, unless one of `approve` is.
 */
export interface ToolPolicy {
  readonly allow?: readonly ToolRule[];
  readonly deny?: readonly ToolRule[];
  readonly approve?: readonly ToolRule[];
  readonly trust?: readonly ToolRule[];
}

/** `mcp.json`, checked. */
export interface McpConfig {
  /** In the order of the file. */
  readonly servers: readonly McpServerConfig[];
  readonly policy: ToolPolicy;
  /** Where `carrel mcp accept` writes what the operator has accepted: `mcp.lock.json` beside the file; undefined without one. */
  readonly lockFile?: string;
  /** `PATH`, `LANG` and `TZ` of this server, as far as they are set: all that a process of a user's has from it. */
  readonly environment: Readonly<Record<string, string>>;
  /** Names of the token's claims that placeholders of any server ask for. */
  readonly claims: readonly string[];
  /** Folder that has a working folder for each user and server. */
  readonly workDir: string;
  /** Connections (for stdio: processes) of one user, and of all users. */
  readonly userMaxConnections: number;
  readonly maxConnections: number;
  /** A connection that nobody has used for so long is closed. */
  readonly idleMs: number;
  readonly connectTimeoutMs: number;
}
