import type { JsonValue } from '../../shared/json.js';
import type { HistoryLimits, MessageRecord } from './message-store.port.js';

/** What is known of a message without its content. */
export type MessageOutline = Pick<MessageRecord, 'runId' | 'tokens'>;

/**
 * Chooses the newest messages that fit: whole runs, and of a run that does not fit as a whole its first and its last message,
 * what was asked and answered. What is older than a run of which not even those fit is left out.
 *
 * @param newestFirst is read only as far as it is needed
 * @returns some of them, oldest first
 */
export function newestThatFit<Message extends MessageOutline>(
  newestFirst: Iterable<Message>,
  limits: Omit<HistoryLimits, 'except'>,
): Message[] {
  const chosen: Message[] = [];
  let left = limits.tokens;
  let runs = 0;
  for (const run of byRun(newestFirst)) {
    if (++runs > limits.runs) break;
    const part = [run, endsOf(run)].find((messages) => tokensOf(messages) <= left);
    if (!part) break;
    chosen.push(...part);
    left -= tokensOf(part);
  }
  return chosen.toReversed();
}

function* byRun<Message extends MessageOutline>(messages: Iterable<Message>): Iterable<Message[]> {
  let run: Message[] = [];
  for (const message of messages) {
    if (run.length > 0 && run[0]!.runId !== message.runId) {
      yield run;
      run = [];
    }
    run.push(message);
  }
  if (run.length > 0) yield run;
}

function endsOf<Message>(run: readonly Message[]): Message[] {
  return run.length > 2 ? [run[0]!, run.at(-1)!] : [...run];
}

function tokensOf(messages: readonly MessageOutline[]): number {
  return messages.reduce((sum, { tokens }) => sum + tokens, 0);
}

/**
 * What a provider takes as a conversation: it begins with a user's message, and every call of a tool has its result. The end of
 * a run that was stopped between the two is left out.
 *
 * @param messages oldest first, those of one run together
 */
export function answered<Message extends Pick<MessageRecord, 'runId' | 'role' | 'content'>>(
  messages: readonly Message[],
): Message[] {
  const kept: Message[] = [];
  let whole = 0;
  const open = new Set<string>();
  for (const [i, message] of messages.entries()) {
    if (message.runId !== messages[i - 1]?.runId) {
      kept.length = whole;
      open.clear();
    }
    kept.push(message);
    for (const { type, id } of toolPartsOf(message.content)) {
      if (type === 'tool-call') open.add(id);
      else open.delete(id);
    }
    if (open.size === 0) whole = kept.length;
  }
  kept.length = whole;
  const first = kept.findIndex(({ role }) => role === 'user');
  return first === -1 ? [] : kept.slice(first);
}

function toolPartsOf(content: JsonValue): { type: 'tool-call' | 'tool-result'; id: string }[] {
  if (!Array.isArray(content)) return [];
  return (content as readonly JsonValue[]).flatMap((part) => {
    const { type, toolCallId } = (part ?? {}) as { type?: unknown; toolCallId?: unknown };
    return (type === 'tool-call' || type === 'tool-result') && typeof toolCallId === 'string'
      ? [{ type, id: toolCallId }]
      : [];
  });
}
