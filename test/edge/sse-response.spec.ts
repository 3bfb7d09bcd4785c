import { fastify } from 'fastify';
import { get } from 'node:http';
import { SseResponse } from '../../src/edge/sse-response.js';
import type { Clock } from '../../src/shared/clock.js';

/** A clock whose timers only the test lets fire. */
class StagedClock implements Clock {
  private readonly timers = new Map<() => void, number>();
  private ms = 0;

  now(): number {
    return this.ms;
  }

  after(delayMs: number, callback: () => void): () => void {
    this.timers.set(callback, this.ms + delayMs);
    return () => this.timers.delete(callback);
  }

  advance(ms: number): void {
    this.ms += ms;
    for (const [callback] of [...this.timers].filter(([, at]) => at <= this.ms)) {
      if (this.timers.delete(callback)) callback();
    }
  }

  get pending(): number {
    return this.timers.size;
  }
}

describe('SseResponse', () => {
  it('sends a comment every 15 s, so that nobody takes the connection for dead, and none after the end', async () => {
    const clock = new StagedClock();
    const opened = Promise.withResolvers<SseResponse>();
    const app = fastify();
    app.get('/', (_request, reply) => {
      const response = new SseResponse(reply, clock);
      response.open();
      opened.resolve(response);
    });
    const url = await app.listen({ port: 0, host: '127.0.0.1' });
    const chunks: string[] = [];
    const client = get(url, { agent: false }, (answer) =>
      answer.setEncoding('utf8').on('data', (chunk: string) => chunks.push(chunk)),
    );
    const response = await opened.promise;

    for (let i = 0; i < 3; i++) clock.advance(15_000);
    response.write('news', '{}', 7);
    response.end();
    await new Promise((resolve) => client.once('close', resolve));
    await response.closed;
    clock.advance(60_000);

    expect(chunks.join('')).toBe(':\n\n:\n\n:\n\nid: 7\nevent: news\ndata: {}\n\n');
    expect(clock.pending).toBe(0);
    await app.close();
  });

  it('cuts off a client that does not take the end', async () => {
    const clock = new StagedClock();
    const opened = Promise.withResolvers<SseResponse>();
    const app = fastify();
    app.get('/', (_request, reply) => {
      const response = new SseResponse(reply, clock);
      while (response.write('news', `"${'x'.repeat(100_000)}"`));
      opened.resolve(response);
    });
    const url = await app.listen({ port: 0, host: '127.0.0.1' });
    get(url, { agent: false }, (answer) => answer.pause()).on('error', () => undefined);
    const response = await opened.promise;
    response.end();
    clock.advance(1_000);
    await response.closed;
    await app.close();
  });
});
