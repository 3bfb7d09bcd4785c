export interface SseMessage {
  readonly event: string;
  readonly data: string;
}

/** The messages of a response of server-sent events, as Carrel writes them: `event` and one line of `data`. */
export async function* readSse({ body }: Response): AsyncGenerator<SseMessage, void, undefined> {
  if (!body) return;
  const decoder = new TextDecoder();
  const reader = body.getReader();
  let rest = '';
  try {
    for (;;) {
      const { value, done } = await reader.read();
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
