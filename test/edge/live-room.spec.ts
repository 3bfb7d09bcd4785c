import type { JournalledEvent } from '../../src/events/run-event.js';
import { LiveRoom } from '../../src/edge/live-room.js';
import type { AgentsNamespace } from '../../src/edge/socket-outlet.js';
import type { RunId, UserId } from '../../src/shared/ids.js';

/** What a connection was given to write. */
type Written = [text: string, frame: Buffer];

function roomOf(members: Record<string, Written[]>): LiveRoom {
  const sockets = new Map(
    Object.entries(members).map(([id, written]) => [
      id,
      {
        conn: {
          write: (text: string, options: { wsPreEncodedFrame: [Buffer] }) =>
            written.push([text, options.wsPreEncodedFrame[0]]),
        },
      },
    ]),
  );
  const adapter = { rooms: new Map([['user:alice', new Set(Object.keys(members))]]) };
  return new LiveRoom({ name: '/agents', adapter, sockets } as unknown as AgentsNamespace, 'user:alice');
}

function thoughtOf(json: string): JournalledEvent {
  return { userId: 'alice' as UserId, runId: 'run_1' as RunId, type: 'agent_thinking', seq: 1, json };
}

/** The message in an unmasked frame of a WebSocket, as RFC 6455 has it. */
function messageIn(frame: Buffer): string {
  expect(frame[0]).toBe(0x81);
  const [start, length] =
    frame[1]! < 126
      ? [2, frame[1]!]
      : frame[1] === 126
        ? [4, frame.readUInt16BE(2)]
        : [10, Number(frame.readBigUInt64BE(2))];
  expect(frame).toHaveLength(start + length);
  return frame.toString('utf8', start);
}

describe('LiveRoom', () => {
  const HEAD = '42/agents,["agent_thinking",'.length + 1;
  it.each([2, 125 - HEAD, 126 - HEAD, 65_535 - HEAD, 65_536 - HEAD, 100_000])(
    'frames an event of %d bytes as its text says it',
    (bytes) => {
      const alice: Written[] = [];
      const json = `"${'a'.repeat(bytes - 2)}"`;
      roomOf({ phone: alice }).emit(thoughtOf(json));
      expect(alice[0]?.[0]).toBe(`2/agents,["agent_thinking",${json}]`);
      expect(messageIn(alice[0]![1])).toBe(`4${alice[0]![0]}`);
    },
  );

  it.each(['"Jürgen"', '"用户"', '"🌊"', '"\ud800"'])('frames %s in UTF-8', (json) => {
    const alice: Written[] = [];
    roomOf({ phone: alice }).emit(thoughtOf(json));
    expect(messageIn(alice[0]![1])).toBe(`42/agents,["agent_thinking",${json.toWellFormed()}]`);
  });

  it('encodes an event once for all who are in the room', () => {
    const [phone, laptop]: [Written[], Written[]] = [[], []];
    roomOf({ phone, laptop }).emit(thoughtOf('{"seq":1}'));
    expect(laptop).toHaveLength(1);
    expect(laptop[0]![1]).toBe(phone[0]![1]);
  });
});
