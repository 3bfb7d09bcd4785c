import { Decoder, Encoder, PacketType, type Packet } from 'socket.io-parser';
import { CarrelError } from '../shared/errors.js';
import { toWireError, type WireError } from './problem.js';

/**
 * An event that is JSON text already: it is serialised once, when it is journalled, and never again. An encoder that does
 * not know it (another adapter's, say) finds the value itself.
 */
export class RawEvent {
  constructor(readonly json: string) {}

  toJSON(): unknown {
    return JSON.parse(this.json);
  }
}

/** What a decoder makes of a message that is too large to be parsed; `event` is the message's name. */
export class OversizedMessage {
  constructor(readonly event: string) {}
}

/** socket.io's encoder, which lets the text of a `RawEvent` through instead of walking over it and serialising it. */
export class WireEncoder extends Encoder {
  override encode(packet: Packet): (string | Buffer)[] {
    const data: unknown = packet.data;
    if (packet.type === PacketType.CONNECT_ERROR && !hasFacts(data)) {
      return super.encode({ ...packet, data: NO_NAMESPACE }) as (string | Buffer)[];
    }
    if (packet.type === PacketType.EVENT && packet.id === undefined && Array.isArray(data) && data.length === 2) {
      const [name, payload] = data as [unknown, unknown];
      if (payload instanceof RawEvent) return [`${eventHead(packet.nsp, String(name))}${payload.json}]`];
    }
    return super.encode(packet) as (string | Buffer)[];
  }
}

/** socket.io itself refuses namespaces that nobody has made, and nothing else, without a code of ours. */
const NO_NAMESPACE = connectError('the namespace is /agents');

function connectError(message: string): { message: string; data: WireError } {
  return { message, data: toWireError(new CarrelError('not_found', message)) };
}

function hasFacts(data: unknown): boolean {
  return typeof data === 'object' && data !== null && 'data' in data;
}

/** What stands before the payload in the text of an event without an acknowledgement. */
export function eventHead(nsp: string, name: string): string {
  return `${PacketType.EVENT}${nsp && nsp !== '/' ? `${nsp},` : ''}[${JSON.stringify(name)},`;
}

/** `2/agents,17["run:start",{…`: the namespace, the number of the acknowledgement and the name of a message. */
const MESSAGE_HEAD = /^2(?:(\/[^,]{0,64}),)?(\d{1,15})?\["([^"\\]{0,64})"/;

/**
 * socket.io's decoder, which does not parse a message of more than `maxBytes`: it becomes an
 * `OversizedMessage` with the same acknowledgement, so that it can be answered with an error instead of a lost connection.
 * What is no message at all, and binary attachments beyond `maxBytes`, end the connection.
 */
class BoundedDecoder extends Decoder {
  private attachedBytes = 0;

  constructor(private readonly maxBytes: number) {
    super();
  }

  override add(chunk: unknown): void {
    if (typeof chunk !== 'string') this.attach(chunk);
    else this.attachedBytes = 0;
    if (typeof chunk === 'string' && isLonger(chunk, this.maxBytes)) this.refuse(chunk);
    else super.add(chunk);
  }

  private attach(chunk: unknown): void {
    this.attachedBytes += chunk instanceof Uint8Array || chunk instanceof ArrayBuffer ? chunk.byteLength : 0;
    if (this.attachedBytes > this.maxBytes) throw new Error('the binary attachments are too large');
  }

  private refuse(text: string): void {
    const [head, nsp = '/', id, event = ''] = MESSAGE_HEAD.exec(text) ?? [];
    if (head === undefined) throw new Error('the packet is too large');
    // A name of our own, since socket.io trusts its decoder not to let a "disconnect" through.
    const data = ['oversized', new OversizedMessage(event)];
    this.emitReserved('decoded', { type: PacketType.EVENT, nsp, id: id === undefined ? undefined : Number(id), data });
  }
}

function isLonger(text: string, maxBytes: number): boolean {
  if (text.length * 3 <= maxBytes) return false;
  return text.length > maxBytes || Buffer.byteLength(text) > maxBytes;
}

/** What socket.io's option `parser` takes; the protocol on the wire is socket.io's own. */
export function wireParser(maxMessageBytes: number): { Encoder: typeof Encoder; Decoder: new () => Decoder } {
  return {
    Encoder: WireEncoder,
    Decoder: class extends BoundedDecoder {
      constructor() {
        super(maxMessageBytes);
      }
    },
  };
}
