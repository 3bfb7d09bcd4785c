import {
  deserializeMessage,
  serializeMessage,
  type JSONRPCMessage,
  type Transport,
} from '@modelcontextprotocol/client';
import { once } from 'node:events';
import type { Clock } from '../../shared/clock.js';
import { CarrelError } from '../../shared/errors.js';
import { BoundedLines } from './bounded-lines.js';
import { tooLarge } from './mcp-failure.js';
import { ProcessGroup, type ProcessLaunch } from './process-group.js';

/** Longer lines of stderr are left out. */
const MAX_LOG_LINE_BYTES = 4 * 1024;

export interface StdioTransportOptions {
  readonly launch: ProcessLaunch;
  readonly clock: Clock;
  /** A message that is longer ends the connection before all of it has been read. */
  readonly maxMessageBytes: number;
  /** What the process writes to stderr, line by line. */
  readonly onLog: (line: string) => void;
  /** Told once, before `onclose`, when the connection ends by itself; what is left of the process is ended by `close`. */
  readonly onLost: (reason: CarrelError) => void;
}

/**
 * An MCP server that is a process: one message a line. Unlike the SDK's own, it takes nothing from this process's environment,
 * bounds what it reads, and ends the process together with whatever that has started.
 */
export class StdioTransport implements Transport {
  onclose?: () => void;
  onerror?: (error: Error) => void;
  onmessage?: Transport['onmessage'];
  /** The SDK knows a process from a URL by `stderr` and `pid`. */
  readonly stderr = null;
  private group: ProcessGroup | undefined;
  private isClosing = false;

  constructor(private readonly options: StdioTransportOptions) {}

  get pid(): number | null {
    return this.group?.pid ?? null;
  }

  /** @throws CarrelError `mcp_unavailable` when the process can't be started */
  async start(): Promise<void> {
    const group = await this.launched();
    this.group = group;
    const messages = new BoundedLines(
      this.options.maxMessageBytes,
      (line) => this.receive(line),
      () => this.refuse(group),
    );
    group.stdout.on('data', (chunk: Buffer) => messages.push(chunk));
    readLog(group, this.options.onLog);
    void group.ended.then((how) => this.finish(lost(`its process has ended with ${how}`)));
  }

  async send(message: JSONRPCMessage): Promise<void> {
    const { group } = this;
    if (!group || this.isClosing) throw lost('it has ended');
    if (group.stdin.write(serializeMessage(message))) return;
    await Promise.race([once(group.stdin, 'drain'), group.ended]);
  }

  /** Resolves when nothing is left of the process, nor of what it has started. */
  async close(): Promise<void> {
    this.finish();
    await this.group?.end();
  }

  private async launched(): Promise<ProcessGroup> {
    try {
      return await ProcessGroup.start(this.options.launch, this.options.clock);
    } catch (error) {
      const why = (error as NodeJS.ErrnoException).code ?? 'unknown';
      throw new CarrelError('mcp_unavailable', `its command can not be started (${why})`, { cause: error });
    }
  }

  private receive(line: string): void {
    if (this.isClosing || line === '') return;
    try {
      this.onmessage?.(deserializeMessage(line));
    } catch (error) {
      this.onerror?.(error as Error); // servers that print something else are common, and do no harm
    }
  }

  private refuse(group: ProcessGroup): void {
    group.stdout.destroy();
    this.finish(tooLarge(this.options.maxMessageBytes));
  }

  /** What is under way is told at once, and does not wait until the process has gone. */
  private finish(reason?: CarrelError): void {
    if (this.isClosing) return;
    this.isClosing = true;
    if (reason) this.options.onLost(reason);
    this.onclose?.();
  }
}

function readLog(group: ProcessGroup, onLog: (line: string) => void): void {
  const lines = new BoundedLines(MAX_LOG_LINE_BYTES, onLog, () =>
    onLog(`(a line of more than ${MAX_LOG_LINE_BYTES} bytes)`),
  );
  group.stderr.on('data', (chunk: Buffer) => lines.push(chunk));
}

function lost(why: string): CarrelError {
  return new CarrelError('mcp_unavailable', why);
}
