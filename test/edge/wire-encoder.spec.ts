import { assert, constantFrom, integer, jsonValue, property } from 'fast-check';
import { Decoder, Encoder, PacketType } from 'socket.io-parser';
import { OversizedMessage, RawEvent, WireEncoder, wireParser } from '../../src/edge/wire-encoder.js';

const EVENT_TYPES = [
  'agent_queued',
  'agent_started',
  'agent_thinking',
  'agent_message_delta',
  'tool_executing',
  'tool_progress',
  'tool_completed',
  'agent_retrying',
  'agent_completed',
  'agent_error',
  'agent_cancelled',
];

const eventPacket = (nsp: string, name: string, payload: unknown) => ({
  type: PacketType.EVENT,
  nsp,
  data: [name, payload],
});

describe('the wire encoder', () => {
  it('writes a journalled event byte for byte as the standard encoder writes the event itself', () => {
    assert(
      property(
        constantFrom(...EVENT_TYPES),
        constantFrom('/agents', '/'),
        integer({ min: 1 }),
        jsonValue({ stringUnit: 'binary' }),
        (type, nsp, seq, data) => {
          const json = JSON.stringify({ v: 1, type, seq, at: new Date(seq).toISOString(), data });
          const raw = new WireEncoder().encode(eventPacket(nsp, type, new RawEvent(json)));
          expect(raw).toEqual(new Encoder().encode(eventPacket(nsp, type, JSON.parse(json))));
        },
      ),
      { numRuns: 500 },
    );
  });

  it('leaves everything else to the standard encoder', () => {
    const packets = [
      { type: PacketType.CONNECT, nsp: '/agents', data: { sid: 'x' } },
      { type: PacketType.CONNECT_ERROR, nsp: '/agents', data: { message: 'no', data: { code: 'unauthenticated' } } },
      { type: PacketType.DISCONNECT, nsp: '/agents' },
      { type: PacketType.ACK, nsp: '/agents', id: 12, data: [{ ok: true, data: { a: 'ä' } }] },
      { type: PacketType.EVENT, nsp: '/agents', data: ['ready', { userId: 'alice', seq: 3 }] },
      { type: PacketType.EVENT, nsp: '/agents', data: ['auth_expired'] },
      { type: PacketType.EVENT, nsp: '/agents', id: 4, data: ['agent_started', { seq: 1 }] },
      { type: PacketType.EVENT, nsp: '/agents', data: ['file', Buffer.from('binary')] },
    ];
    for (const packet of packets) {
      expect(new WireEncoder().encode(structured(packet))).toEqual(new Encoder().encode(structured(packet)));
    }
  });

  it('is understood by the standard encoder too, where its short cut does not apply', () => {
    const packet = {
      type: PacketType.EVENT,
      nsp: '/agents',
      id: 7,
      data: ['agent_started', new RawEvent('{"seq":1}')],
    };
    expect(new WireEncoder().encode(packet)).toEqual(['2/agents,7["agent_started",{"seq":1}]']);
  });
});

describe('the wire decoder', () => {
  it('decodes what is small enough as the standard decoder does', () => {
    for (const text of ['0/agents,{"token":"x"}', '2/agents,17["run:start",{"agent":"a"}]', '2["x"]', '1/agents,']) {
      expect(decode(text)).toEqual(packetsOf(new Decoder(), text));
    }
  });

  it('measures in bytes, not in characters', () => {
    const message = `2/agents,1["run:start",{"input":"${'ä'.repeat(60)}"}]`;
    expect(message.length).toBeLessThan(100);
    expect(decode(message)).toMatchObject({ id: 1, data: [expect.anything(), { event: 'run:start' }] });
  });

  it('answers a message that is too large under its own acknowledgement, and lets no reserved name through', () => {
    const big = 'x'.repeat(200);
    expect(decode(`2/agents,17["run:start",{"input":"${big}"}]`)).toEqual({
      type: PacketType.EVENT,
      nsp: '/agents',
      id: 17,
      data: ['oversized', new OversizedMessage('run:start')],
    });
    expect(decode(`2["disconnect","${big}"]`)).toMatchObject({
      nsp: '/',
      data: ['oversized', { event: 'disconnect' }],
    });
  });

  it('throws at anything else that is too large, which ends the connection', () => {
    const big = 'x'.repeat(200);
    for (const text of [`0/agents,{"token":"${big}"}`, `3/agents,1["${big}"]`, `2/agents,["${big}"]`, big]) {
      expect(() => decode(text)).toThrow('too large');
    }
  });

  it('throws when the attachments of one message are too large together', () => {
    const decoder = new (wireParser(100).Decoder)();
    decoder.add('52-/agents,["x",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]');
    decoder.add(Buffer.alloc(60));
    expect(() => decoder.add(Buffer.alloc(60))).toThrow('too large');
  });
});

function packetsOf(decoder: Decoder, text: string): unknown {
  const packets: unknown[] = [];
  decoder.on('decoded', (packet) => packets.push(packet));
  decoder.add(text);
  return packets[0];
}

function decode(text: string): unknown {
  return packetsOf(new (wireParser(100).Decoder)(), text);
}

/** Encoding a binary packet changes it. */
function structured<T extends { data?: unknown }>(packet: T): T {
  return { ...packet, data: Array.isArray(packet.data) ? [...(packet.data as unknown[])] : packet.data };
}
