export interface SseMessage {
  readonly event: string;
  readonly data: string;
}

/**
 * The messages of a response of server-sent events, as Carrel writes them: `event` and one line of `data`.
 *
 * @param silenceMs ends when nothing at all has come for so long: the connection may be gone, and nobody was told
 */
export async function* readSse({ body }: Response, silenceMs: number): AsyncGenerator<SseMessage, void, undefined> {
  if (!body) return;
  const decoder = new TextDecoder();
  const reader = body.getReader();
  let rest = '';
  try {
    for (;;) {
      const silence = setTimeout(() => void reader.cancel().catch(() => undefined), silenceMs);
      const { value, done } = await reader.read().finally(() => clearTimeout(silence));
      if (done) return;
      rest += decoder.decode(value, { stream: true });
      const blocks = rest.split('\n\n');
      rest = blocks.pop()!;
      for (const block of blocks) {
        const message = messageOf(block);
        if (message) yield message;
      }
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

function messageOf(block: string): SseMessage | undefined {
  const fields = new Map(block.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line]));
  const event = fields.get('event')?.slice('event: '.length);
  const data = fields.get('data')?.slice('data: '.length);
  return event === undefined || data === undefined ? undefined : { event, data };
}
