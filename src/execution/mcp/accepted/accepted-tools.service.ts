import { Inject, Injectable, Logger, type OnApplicationBootstrap, type OnModuleInit } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { CARREL_CONFIG, type CarrelConfig } from '../../../config/config.js';
import type { UserExecutionContext } from '../../../context/user-execution-context.js';
import { CLOCK, type Clock } from '../../../shared/clock.js';
import type { HeldBackTool } from '../../tools/tool-source.port.js';
import type { ListedTool } from '../session/listed-tool.js';
import { lockFileTime, readLockFile, type AcceptedHashes } from './lock-file.js';

/** The lock may be written anew while the server runs. */
const LOOK_AGAIN_MS = 1_000;
/** Of more pairs of user and server, those that were not used for longest are seen for the first time again. */
const MAX_REMEMBERED = 5_000;
const MAX_TOOLS_EACH = 1_024;

/** Which of a server's tools may be called. */
export interface CheckedTools {
  readonly accepted: readonly ListedTool[];
  readonly heldBack: readonly HeldBackTool[];
}

/**
 * Holds back tools that are not what the operator has accepted (`mcp.lock.json`), for a server can change what it says of a
 * tool at any time. Without such a file the first definition that a user's connection shows counts.
 */
@Injectable()
export class AcceptedTools implements OnModuleInit, OnApplicationBootstrap {
  private readonly logger = new Logger(AcceptedTools.name);
  private lock: AcceptedHashes | undefined;
  private readAtMs = -Infinity;
  private writtenAtMs: number | undefined;
  /** By user and server: the hash of each tool as it was first seen. */
  private readonly firstSeen = new LRUCache<string, Map<string, string>>({ max: MAX_REMEMBERED });
  /** By user and server: what was held back when it was last told of. */
  private readonly told = new LRUCache<string, string>({ max: MAX_REMEMBERED });

  constructor(
    @Inject(CARREL_CONFIG) private readonly config: CarrelConfig,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** @throws CarrelError `invalid_config` when there is a lock that can't be read */
  onModuleInit(): void {
    this.read();
  }

  onApplicationBootstrap(): void {
    if (this.lock || this.config.mcp.servers.length === 0) return;
    this.logger.warn(
      'nobody has accepted the tools of the MCP servers: they count as they are first seen. "carrel mcp accept" writes down what they are now, and changes are held back from then on',
    );
  }

  /** @param tools what the server lists for this user now */
  check({ userId }: UserExecutionContext, server: string, tools: readonly ListedTool[]): CheckedTools {
    this.readAgain();
    const key = `${userId}\n${server}`;
    const known = this.lock ? this.lock.get(server) : this.seenBefore(key, tools);
    const isAccepted = ({ definition, hash }: ListedTool) => known?.get(definition.tool) === hash;
    const heldBack = tools
      .filter((tool) => !isAccepted(tool))
      .map(({ definition: { tool } }) => heldBackTool(server, tool, known?.has(tool) ?? false));
    this.tell(key, { userId, server }, heldBack);
    return { accepted: tools.filter(isAccepted), heldBack };
  }

  /** A tool that was not there before is taken as it is; one that has changed is not. */
  private seenBefore(key: string, tools: readonly ListedTool[]): ReadonlyMap<string, string> {
    const seen = this.firstSeen.get(key) ?? new Map<string, string>();
    this.firstSeen.set(key, seen);
    for (const { definition, hash } of tools) {
      if (seen.size < MAX_TOOLS_EACH && !seen.has(definition.tool)) seen.set(definition.tool, hash);
    }
    return seen;
  }

  private tell(key: string, facts: { userId: string; server: string }, heldBack: readonly HeldBackTool[]): void {
    const names = heldBack.map(({ tool }) => tool).join('\n');
    if (names === (this.told.get(key) ?? '')) return;
    this.told.set(key, names);
    if (heldBack.length === 0) return;
    const { userId, server } = facts;
    const tools = heldBack.map(({ tool }) => tool);
    this.logger.warn(
      { userId, mcpServer: server, tools },
      'tools of an MCP server are held back, for they are not what was accepted: see "carrel mcp list"',
    );
  }

  private readAgain(): void {
    const { lockFile } = this.config.mcp;
    const now = this.clock.now();
    if (lockFile === undefined || now - this.readAtMs < LOOK_AGAIN_MS) return;
    this.readAtMs = now;
    const writtenAtMs = lockFileTime(lockFile);
    if (writtenAtMs === undefined || writtenAtMs === this.writtenAtMs) return; // one that is gone still counts
    try {
      this.read();
    } catch (err) {
      this.writtenAtMs = writtenAtMs;
      this.logger.error({ err }, 'the accepted tools could not be read again; what was accepted before counts');
    }
  }

  private read(): void {
    const { lockFile } = this.config.mcp;
    if (lockFile === undefined) return;
    this.readAtMs = this.clock.now();
    const writtenAtMs = lockFileTime(lockFile);
    this.lock = readLockFile(lockFile) ?? this.lock;
    this.writtenAtMs = writtenAtMs;
  }
}

function heldBackTool(server: string, tool: string, wasThere: boolean): HeldBackTool {
  const what = wasThere ? 'its definition has changed since it was accepted' : 'it is new, and nobody has accepted it';
  const reason = `${what}; the operator looks at it with "carrel mcp list" and accepts it with "carrel mcp accept"`;
  return { server, tool, code: 'mcp_tool_changed', reason };
}
