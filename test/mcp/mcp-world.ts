import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RunEvent, RunEventData } from '../../src/events/run-event.js';
import { userFolder } from '../../src/execution/mcp/user-folder.js';
import type { GivenModels } from '../../src/execution/models/providers/load-models.js';
import type { UserId } from '../../src/shared/ids.js';
import { CarrelServer, isTerminal, type CarrelUser, type RunJson } from '../carrel-server.js';
import { ToolCallersModule } from './tool-callers.module.js';

export interface Call {
  server: string;
  tool: string;
  args?: object;
}

export interface CallResult {
  text?: string;
  structured?: unknown;
  content?: Record<string, unknown>[];
  failed?: string;
  message?: string;
  retryable?: boolean;
}

/** A run that has ended, with its events as its user's socket got them. */
export interface Story {
  run: RunJson;
  results: CallResult[];
  events: RunEvent[];
}

export interface McpWorldOptions {
  toolPolicy?: object;
  env?: Record<string, string>;
  lock?: object;
  models?: GivenModels;
}

/** The whole server with an `mcp.json` of its own, and alice and bob. */
export class McpWorld implements AsyncDisposable {
  private constructor(
    readonly server: CarrelServer,
    readonly alice: CarrelUser,
    readonly bob: CarrelUser,
    readonly folder: string,
    readonly logLines: string[],
  ) {}

  static async start(
    mcpServers: object,
    { toolPolicy = {}, env = {}, lock, models }: McpWorldOptions = {},
  ): Promise<McpWorld> {
    const folder = await mkdtemp(join(tmpdir(), 'carrel-mcp-'));
    const file = join(folder, 'mcp.json');
    await writeFile(file, JSON.stringify({ mcpServers, toolPolicy }));
    if (lock) await writeFile(join(folder, 'mcp.lock.json'), JSON.stringify(lock));
    const logLines: string[] = [];
    const server = await CarrelServer.start({
      agents: [ToolCallersModule],
      models,
      env: { CARREL_LOG_LEVEL: 'debug', CARREL_MCP_FILE: file, ...env },
      logLines,
    });
    const [alice, bob] = await Promise.all([server.as('alice'), server.as('bob')]);
    return new McpWorld(server, alice, bob, folder, logLines);
  }

  /** One run that makes these calls; failures are results. */
  async calls(user: CarrelUser, calls: Call[], more: object = {}): Promise<Story> {
    const { id } = await user.start('caller', { calls, caught: true, ...more });
    return this.ended(user, id);
  }

  /** A run that makes one call. */
  async call(user: CarrelUser, server: string, tool: string, args: object = {}): Promise<CallResult> {
    const { results, run } = await this.calls(user, [{ server, tool, args }]);
    if (!results[0]) throw new Error(`the run has no result: ${JSON.stringify(run)}`);
    return results[0];
  }

  async ended(user: CarrelUser, id: string): Promise<Story> {
    const socket = await user.connect({ after: 0 });
    await socket.until((event) => event.runId === id && isTerminal(event), 30_000);
    socket.close();
    const run = (await user.http<RunJson>('GET', `/v1/runs/${id}`)).body;
    const { results = [] } = (run.result ?? {}) as { results?: CallResult[] };
    return { run, results, events: socket.events.filter(({ runId }) => runId === id) };
  }

  /** The process ids that a server of this user's has written into its folder. */
  async pids(user: CarrelUser, server: string): Promise<number[]> {
    const text = await readFile(join(this.userFolder(user, server), 'pids'), 'utf8').catch(() => '');
    return text.trim().split('\n').filter(Boolean).map(Number);
  }

  userFolder(user: CarrelUser, server: string): string {
    return userFolder(this.server.config.mcp.workDir, user.id as UserId, server);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server.close();
    await rm(this.folder, { recursive: true, force: true });
  }
}

export function ofType<Type extends RunEvent['type']>(events: readonly RunEvent[], type: Type): RunEventData[Type][] {
  return events.filter((event) => event.type === type).map(({ data }) => data as RunEventData[Type]);
}

/**
 * Answers what a run asks, when it has asked it and rests.
 *
 * @param which of its questions, from 1
 */
export async function answer(
  user: CarrelUser,
  runId: string,
  decision: 'answer' | 'decline',
  content?: object,
  which = 1,
): Promise<RunEventData['approval_required']> {
  const socket = await user.connect({ after: 0 });
  const rests = () => socket.events.filter((event) => event.runId === runId && event.type === 'agent_suspended').length;
  await socket.until(() => rests() >= which);
  const ofRun = socket.events.filter((event) => event.runId === runId);
  const asked = ofType(ofRun, 'approval_required')[which - 1]!;
  socket.close();
  const { status, text } = await user.http('POST', `/v1/approvals/${asked.approvalId}`, { decision, answer: content });
  if (status !== 200) throw new Error(`the answer was answered with ${status}: ${text}`);
  return asked;
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** Resolves when none of them is there any more. */
export async function allGone(pids: readonly number[], timeoutMs = 10_000): Promise<void> {
  const lateMs = Date.now() + timeoutMs;
  while (pids.some(isAlive)) {
    if (Date.now() > lateMs) throw new Error(`still there: ${pids.filter(isAlive).join(', ')}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
