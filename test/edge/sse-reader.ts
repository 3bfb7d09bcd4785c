import { get, type IncomingMessage } from 'node:http';

export interface SseMessage {
  event: string;
  data: string;
  id?: string;
}

/** A client of server-sent events that records what comes, and reads only as long as it is told to. */
export class SseReader {
  readonly messages: SseMessage[] = [];
  readonly ended: Promise<void>;
  private readonly waiting = new Set<() => void>();
  private text = '';

  private constructor(private readonly response: IncomingMessage) {
    response.setEncoding('utf8').on('data', (chunk: string) => this.read(chunk));
    response.on('error', () => undefined);
    this.ended = new Promise((resolve) => response.once('close', resolve));
  }

  /** Rejects with the problem when the server does not open a stream. */
  static open(url: string, token: string, headers: Record<string, string> = {}): Promise<SseReader> {
    return new Promise((resolve, reject) => {
      get(url, { headers: { authorization: `Bearer ${token}`, ...headers }, agent: false }, (response) => {
        if (response.statusCode === 200) return resolve(new SseReader(response));
        let body = '';
        response.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
        response.once('end', () => reject(Object.assign(new Error(body), JSON.parse(body) as object)));
      }).once('error', reject);
    });
  }

  get headers(): Headers {
    return new Headers(this.response.headers as Record<string, string>);
  }

  /** Resolves with the first message, past or future, that fits. */
  until(fits: (message: SseMessage) => boolean): Promise<SseMessage> {
    return new Promise((resolve, reject) => {
      let looked = 0;
      const look = () => {
        const found = this.messages.slice(looked).find(fits);
        looked = this.messages.length;
        if (!found) return;
        this.waiting.delete(look);
        resolve(found);
      };
      this.waiting.add(look);
      void this.ended.then(() => reject(new Error(`the stream ended; ${this.messages.length} messages had come`)));
      look();
    });
  }

  pause(): void {
    this.response.pause();
  }

  resume(): void {
    this.response.resume();
  }

  close(): void {
    this.response.destroy();
  }

  private read(chunk: string): void {
    const blocks = (this.text + chunk).split('\n\n');
    this.text = blocks.pop() ?? '';
    for (const block of blocks) if (!block.startsWith(':')) this.messages.push(parsed(block));
    for (const look of this.waiting) look();
  }
}

function parsed(block: string): SseMessage {
  const fields = block
    .split('\n')
    .map((line) => [line.slice(0, line.indexOf(': ')), line.slice(line.indexOf(': ') + 2)]);
  return Object.fromEntries(fields) as unknown as SseMessage;
}
