import type { Namespace, Socket } from 'socket.io';
import type { CarrelConfig } from '../config/config.js';
import type { JournalledEvent } from '../events/run-event.js';
import { RawEvent } from './wire-encoder.js';
import type { ClientToServerEvents, OutgoingEvents } from './wire-events.js';

export type AgentsSocket = Socket<ClientToServerEvents, OutgoingEvents>;
export type AgentsNamespace = Namespace<ClientToServerEvents, OutgoingEvents>;

/** So many of the largest events may wait for a slow socket: a bound in bytes beside the one in packets. */
const LARGEST_EVENTS = 32;
/** Events that are read from the journal for a socket at once, at most. */
const MAX_PAGE = 200;
/** A client for which so many times the limits wait asks on and on without reading the answers. */
const FLOOD_FACTOR = 10;

/** What engine.io keeps to itself; only the transport of a WebSocket has a `socket`, that of `ws`. */
interface Connection {
  readonly writeBuffer: readonly unknown[];
  readonly transport: { readonly writable: boolean; readonly socket?: { readonly bufferedAmount: number } };
}

/** The way out to one client, and how much waits in it. */
export class SocketOutlet {
  /** How many events to read from the journal for this client at once. */
  readonly pageSize: number;
  private readonly maxPackets: number;
  private readonly maxBytes: number;
  /** Characters that engine.io has not handed to the transport. */
  private waiting = 0;

  constructor(
    private readonly socket: AgentsSocket,
    limits: CarrelConfig['limits'],
  ) {
    this.maxPackets = limits.socketBacklog;
    this.pageSize = Math.min(limits.socketBacklog, MAX_PAGE);
    this.maxBytes = limits.eventDataBytes * LARGEST_EVENTS;
    socket.conn.on('packetCreate', this.onPacket);
    // engine.io's word for "the whole buffer has been handed to the transport".
    socket.conn.on('drain', this.onHandedOver);
  }

  /** More is waiting than a client that keeps up would leave: nothing should be added before it is `isClear`. */
  get isFull(): boolean {
    return this.connection.writeBuffer.length > this.maxPackets || this.waiting + this.unsentBytes > this.maxBytes;
  }

  /** Nothing waits in engine.io, and the operating system has taken most of what it was given. */
  get isClear(): boolean {
    return this.connection.writeBuffer.length === 0 && this.unsentBytes <= this.maxBytes / 2;
  }

  /** Far more is waiting than events alone can be: nothing should be taken from this client any more. */
  get isFlooded(): boolean {
    const { writeBuffer, transport } = this.connection;
    const isTooMuch =
      writeBuffer.length > this.maxPackets * FLOOD_FACTOR || this.waiting > this.maxBytes * FLOOD_FACTOR;
    return isTooMuch && !transport.writable;
  }

  send(event: JournalledEvent): void {
    this.socket.emit(event.type, new RawEvent(event.json));
  }

  /** Resolves when something of what waits has left, or never will. */
  movement(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const { conn } = this.socket;
    const { transport } = conn;
    const moved = (): void => {
      conn.off('drain', moved).off('upgrade', moved).off('close', moved);
      transport.off('drain', moved);
      resolve();
    };
    conn.on('drain', moved).on('upgrade', moved).on('close', moved);
    transport.on('drain', moved);
    return promise;
  }

  close(): void {
    this.socket.conn.off('packetCreate', this.onPacket).off('drain', this.onHandedOver);
  }

  private get connection(): Connection {
    return this.socket.conn as unknown as Connection;
  }

  private get unsentBytes(): number {
    return this.connection.transport.socket?.bufferedAmount ?? 0;
  }

  private readonly onPacket = ({ data }: { data?: string | Buffer }): void => {
    this.waiting += data?.length ?? 0;
  };

  private readonly onHandedOver = (): void => {
    this.waiting = 0;
  };
}
