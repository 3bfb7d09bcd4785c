import type { UserId } from '../shared/ids.js';
import type { AgentsNamespace, AgentsSocket } from './socket-outlet.js';

/** What is connected for one user here, seen from both ends: from the user's sockets, and from the user's room. */
export interface SocketCensus {
  /** Sockets that were let in with a token of this user. */
  readonly sockets: number;
  /** Those of them that are live: the others are catching up from the journal. */
  readonly inRoom: number;
  /** Sockets in this user's room that were let in for somebody else. */
  readonly strangersInRoom: number;
  /** Rooms of somebody else that a socket of this user is in. */
  readonly foreignRooms: number;
}

export function censusOf(
  namespace: AgentsNamespace | undefined,
  { userId, room, own }: { userId: UserId; room: string; own: ReadonlySet<AgentsSocket> },
  ownerOf: (socket: AgentsSocket) => UserId | undefined,
): SocketCensus {
  const members = [...(namespace?.adapter.rooms.get(room) ?? [])].map((id) => namespace?.sockets.get(id));
  const mine = members.filter((socket) => socket && ownerOf(socket) === userId);
  const foreign = [...own].flatMap(({ id, rooms }) => [...rooms].filter((name) => name !== id && name !== room));
  return {
    sockets: own.size,
    inRoom: mine.length,
    strangersInRoom: members.length - mine.length,
    foreignRooms: foreign.length,
  };
}
