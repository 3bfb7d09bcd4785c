import { Inject } from '@nestjs/common';
import { WebSocketGateway, type OnGatewayConnection, type OnGatewayInit } from '@nestjs/websockets';
import { CARREL_CONFIG, type CarrelConfig } from '../config/config.js';
import { EVENT_JOURNAL, type EventJournal } from '../events/event-journal.port.js';
import { CLOCK, type Clock } from '../shared/clock.js';
import type { UserId } from '../shared/ids.js';
import { runInLogScope } from '../shared/log-scope.js';
import { requestIdFrom } from './request-context.js';
import { roomOf, SocketAdmission } from './socket-admission.service.js';
import { censusOf, type SocketCensus } from './socket-census.js';
import { SocketMessages } from './socket-messages.service.js';
import type { AgentsNamespace, AgentsSocket } from './socket-outlet.js';
import { refusal } from './socket-refusal.js';
import { SocketSession } from './socket-session.js';

/**
 * The Socket.IO door. A singleton that knows no user: each socket has a session, and each message of it a context of its
 * own. Messages do not go through Nest's handlers, which cost more than all that is done here.
 */
@WebSocketGateway({ namespace: '/agents' })
export class AgentsGateway implements OnGatewayInit<AgentsNamespace>, OnGatewayConnection<AgentsSocket> {
  private namespace: AgentsNamespace | undefined;

  constructor(
    private readonly admission: SocketAdmission,
    private readonly messages: SocketMessages,
    @Inject(EVENT_JOURNAL) private readonly journal: EventJournal,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(CARREL_CONFIG) private readonly config: CarrelConfig,
  ) {}

  afterInit(namespace: AgentsNamespace): void {
    this.namespace = namespace;
    // Nest's guards do not run at the handshake.
    namespace.use((socket, next) => {
      runInLogScope({ requestId: requestIdFrom(socket.request.headers['x-request-id']) }, () => {
        this.admission.admit(socket).then(
          () => next(),
          (error: unknown) => next(refusal(error)),
        );
      });
    });
  }

  handleConnection(socket: AgentsSocket): void {
    const { messages, journal, clock, config } = this;
    new SocketSession({ socket, admission: this.admission.of(socket), messages, journal, clock, config }).open();
  }

  /** Connected sockets of all users. */
  get socketCount(): number {
    return this.namespace?.sockets.size ?? 0;
  }

  censusOf(userId: UserId): SocketCensus {
    const { admission } = this;
    const user = { userId, room: roomOf(userId), own: admission.socketsOf(userId) };
    return censusOf(this.namespace, user, (socket) => admission.ownerOf(socket));
  }

  /** Tells every client to come back later; the sockets stay open, so that the events of ending runs still arrive. */
  announceDraining(reconnectAfterMs: number): void {
    this.namespace?.local.emit('server_draining', { reconnectAfterMs });
  }

  /** Ends every connection of this process, after what is pending on it has been sent. */
  disconnectAll(): void {
    this.namespace?.local.disconnectSockets(true);
  }
}
