import type { JournalledEvent } from '../events/run-event.js';
import type { AgentsNamespace } from './socket-outlet.js';
import { eventHead } from './wire-encoder.js';
import type { UserRoom } from './user-feed.js';

/** What engine.io takes beside a packet's text: the frame in which it goes over a WebSocket. A poll takes the text. */
interface PacketOptions {
  readonly wsPreEncodedFrame: readonly [Buffer];
}

interface Connection {
  write(text: string, options: PacketOptions): unknown;
}

/**
 * A user's room on this node. It does what socket.io's own broadcast comes to, an event being encoded once for all sockets
 * in the room, down to the WebSocket's frame; but without the sets and objects that a broadcast makes for every event
 * to find the sockets, and with a frame that is one piece, which is one write for each socket instead of two.
 */
export class LiveRoom implements UserRoom {
  constructor(
    private readonly namespace: AgentsNamespace,
    private readonly name: string,
  ) {}

  emit({ type, json }: JournalledEvent): void {
    const { adapter, sockets, name: nsp } = this.namespace;
    const ids = adapter.rooms.get(this.name);
    if (!ids) return;
    const head = eventHead(nsp, type);
    const text = `${head}${json}]`;
    const options: PacketOptions = { wsPreEncodedFrame: [frameOf(head, json)] };
    for (const id of ids) (sockets.get(id)?.conn as unknown as Connection | undefined)?.write(text, options);
  }
}

/** engine.io's word for a message. */
const MESSAGE = '4';
/** Of a WebSocket frame: the last of its message, and its message is a text. */
const FINAL_TEXT = 0x81;

/** An unmasked WebSocket frame (RFC 6455, 5.2) with an engine.io message of `head`, which is ASCII, `json` and `]`. */
function frameOf(head: string, json: string): Buffer {
  const length = MESSAGE.length + head.length + Buffer.byteLength(json) + 1;
  const start = length < 126 ? 2 : length < 65_536 ? 4 : 10;
  const frame = Buffer.allocUnsafe(start + length);
  frame[0] = FINAL_TEXT;
  if (start === 2) frame[1] = length;
  else if (start === 4) {
    frame[1] = 126;
    frame.writeUInt16BE(length, 2);
  } else {
    frame[1] = 127;
    frame.writeBigUInt64BE(BigInt(length), 2);
  }
  frame.write(MESSAGE + head, start, 'latin1');
  frame.write(json, start + MESSAGE.length + head.length);
  frame[frame.length - 1] = 0x5d; // ]
  return frame;
}
