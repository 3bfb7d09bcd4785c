import { Injectable } from '@nestjs/common';
import { AgentsGateway } from './agents.gateway.js';
import { EventStreams } from './event-streams.service.js';
import { SocketAdmission } from './socket-admission.service.js';

/** Looks at all connections of this process for something of one user that is with another one, and counts what it has found. */
@Injectable()
export class IsolationWatch {
  private found = 0;

  constructor(
    private readonly admission: SocketAdmission,
    private readonly gateway: AgentsGateway,
    private readonly streams: EventStreams,
  ) {}

  /** A look by somebody else has found something. */
  noteViolation(): void {
    this.found++;
  }

  /** Looks, too. */
  violations(): number {
    for (const userId of this.admission.users()) {
      const { strangersInRoom, foreignRooms } = this.gateway.censusOf(userId);
      this.found += strangersInRoom + foreignRooms;
    }
    this.found += this.streams.foreignCount;
    return this.found;
  }
}
