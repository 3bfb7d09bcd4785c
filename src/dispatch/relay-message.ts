import type { JournalledEvent, RunEventType } from '../events/run-event.js';
import type { RunId, UserId } from '../shared/ids.js';

/** What goes over a user's channel. Without events it only says how far the journal has come. */
export interface RelayMessage {
  /** The node that sends it. */
  readonly from: string;
  /** By that node's own clock. */
  readonly sentAtMs: number;
  /** `seq` of the last event that is in it, or in the journal. */
  readonly head: number;
  readonly events: readonly JournalledEvent[];
}

/** Events are JSON already, in which no line ends: so they are lines, and nothing is written as JSON twice. */
export function encodeRelayMessage({ from, sentAtMs, head, events }: RelayMessage): string {
  let text = `${from} ${sentAtMs} ${head}`;
  for (const { seq, type, runId, json } of events) text += `\n${seq} ${type} ${runId}\n${json}`;
  return text;
}

/** @param userId whose channel it came over: nothing in a message can say otherwise */
export function decodeRelayMessage(userId: UserId, text: string): RelayMessage | undefined {
  const lines = text.split('\n');
  const [from, sentAt, last] = lines[0]?.split(' ') ?? [];
  const [sentAtMs, head] = [Number(sentAt), Number(last)];
  if (!from || !Number.isSafeInteger(sentAtMs) || !Number.isSafeInteger(head) || lines.length % 2 === 0)
    return undefined;
  const events: JournalledEvent[] = [];
  for (let i = 1; i < lines.length; i += 2) {
    const [number, type, runId] = lines[i]!.split(' ');
    const seq = Number(number);
    if (!Number.isSafeInteger(seq) || !type || !runId) return undefined;
    events.push({ userId, seq, type: type as RunEventType, runId: runId as RunId, json: lines[i + 1]! });
  }
  return { from, sentAtMs, head, events };
}
