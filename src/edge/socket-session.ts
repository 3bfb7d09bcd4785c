import type { CarrelConfig } from '../config/config.js';
import { StopSwitch } from '../context/stop-switch.js';
import { UserExecutionContext } from '../context/user-execution-context.js';
import type { EventJournal } from '../events/event-journal.port.js';
import type { Clock } from '../shared/clock.js';
import { CarrelError } from '../shared/errors.js';
import { newId } from '../shared/ids.js';
import { runInLogScope } from '../shared/log-scope.js';
import { toWireError } from './problem.js';
import { buildRequestContext, factsOf } from './request-context.js';
import { roomOf, type Admission } from './socket-admission.service.js';
import type { SocketMessages } from './socket-messages.service.js';
import { cutConnection } from './socket-end.js';
import { SocketOutlet, type AgentsSocket } from './socket-outlet.js';
import { SocketReader } from './socket-reader.js';
import type { WireReply } from './wire-events.js';
import { OversizedMessage } from './wire-encoder.js';

export interface SessionParts {
  socket: AgentsSocket;
  admission: Admission;
  messages: SocketMessages;
  journal: EventJournal;
  clock: Clock;
  config: CarrelConfig;
}

type Ack = (reply: WireReply<unknown>) => void;
type Handler = NonNullable<ReturnType<SocketMessages['handlerOf']>>;

/** Names of messages come from the client. */
const MAX_NAME_LENGTH = 64;
/** Unanswered messages of a connection, beyond as many starts as its user's lane could take. */
const MORE_IN_FLIGHT = 16;

/**
 * One connected socket, from `ready` until it disconnects: carries out its messages in the order in which they came, each
 * with a context of its own, and ends the connection when the token ends.
 */
export class SocketSession {
  private readonly outlet: SocketOutlet;
  private readonly reader: SocketReader;
  /** What all messages' contexts have in common. */
  private readonly base: UserExecutionContext;
  private readonly closing = new StopSwitch();
  private cancelExpiry: () => void = () => {};
  private inFlight = 0;

  constructor(private readonly parts: SessionParts) {
    const { socket, admission, clock, config, journal } = parts;
    const { identity, place } = admission;
    this.base = buildRequestContext(identity, factsOf(socket.request.headers, socket.handshake.address), clock.now());
    this.outlet = new SocketOutlet(socket, config.limits);
    this.reader = new SocketReader({
      userId: identity.userId,
      room: roomOf(identity.userId),
      socket,
      outlet: this.outlet,
      feed: place.feed,
      journal,
      failed: (error) => this.fail(error),
    });
  }

  /** Must be called in the tick of the connection: a message can't come in before `ready` has gone out, then. */
  open(): void {
    const { socket, admission } = this.parts;
    socket.once('disconnect', () => this.close());
    socket.onAny((name: unknown, ...payloads: unknown[]) => void this.receive(nameOf(name, payloads), payloads));
    socket.emit('ready', { userId: admission.identity.userId, seq: admission.last });
    this.watchExpiry();
    this.reader.begin(admission.after, admission.pruned);
  }

  private close(): void {
    this.cancelExpiry();
    this.closing.abort(new DOMException('the connection has ended', 'AbortError'));
    this.reader.stop();
    this.outlet.close();
    // A connection without a socket would be nobody's, and count for nobody.
    const { client, conn } = this.parts.socket;
    if ((client as unknown as { sockets: ReadonlyMap<string, unknown> }).sockets.size === 0) conn.close();
  }

  /** The client connects again by itself, with the position it has reached. */
  private fail(error: unknown): void {
    const { requestId, userId } = this.base;
    this.parts.socket.emit(
      'exception',
      runInLogScope({ requestId, userId }, () => toWireError(error)),
    );
    this.parts.socket.conn.close();
  }

  private watchExpiry(): void {
    const { admission, clock, socket } = this.parts;
    const leftMs = admission.identity.expiresAtMs - clock.now();
    // A timer holds at most 31 bits of milliseconds, a token can be valid for years.
    if (leftMs > 0) this.cancelExpiry = clock.after(leftMs, () => this.watchExpiry());
    else {
      socket.emit('auth_expired');
      socket.disconnect(true);
    }
  }

  private async receive(name: string, payloads: unknown[]): Promise<void> {
    const { socket, admission, clock } = this.parts;
    if (!socket.connected) return;
    if (clock.now() >= admission.identity.expiresAtMs) return this.watchExpiry();
    const ack = typeof payloads.at(-1) === 'function' ? (payloads.pop() as Ack) : undefined;
    this.inFlight += 1;
    const context = this.newContext();
    const ids = { requestId: context.requestId, userId: context.userId };
    try {
      const handler = this.handlerOf(name, payloads, ack);
      await runInLogScope(ids, () =>
        handler({
          context,
          payload: payloads[0],
          answer: (data) => this.answer(() => ack?.({ ok: true, data })),
          restartStream: (after, pruned) => this.reader.begin(after, pruned),
        }),
      );
    } catch (thrown) {
      const error = runInLogScope(ids, () => toWireError(thrown));
      this.answer(() => (ack ? ack({ ok: false, error }) : socket.emit('exception', { ...error, event: name })));
    } finally {
      this.inFlight -= 1;
    }
  }

  /** @throws CarrelError for everything that can be wrong with a message before its payload is looked into */
  private handlerOf(name: string, payloads: readonly unknown[], ack: Ack | undefined): Handler {
    const { messages, config } = this.parts;
    if (payloads[0] instanceof OversizedMessage) {
      const limit = config.http.bodyLimitBytes;
      throw new CarrelError('payload_too_large', `a message has at most ${limit} bytes`);
    }
    const handler = messages.handlerOf(name);
    if (!handler) {
      throw new CarrelError('unknown_event', `there is no message "${name}"; there are ${messages.names.join(', ')}`);
    }
    if (!ack) throw new CarrelError('invalid_request', `send "${name}" with an acknowledgement, as the last argument`);
    if (payloads.length !== 1) {
      throw new CarrelError('invalid_request', `a message has one payload, this one has ${payloads.length}`);
    }
    const { maxRunning, maxQueued } = config.lane;
    if (this.inFlight > maxRunning + maxQueued + MORE_IN_FLIGHT) {
      const text = 'too many messages of this connection are waiting for their answer: wait for some';
      throw new CarrelError('rate_limited', text);
    }
    return handler;
  }

  private newContext(): UserExecutionContext {
    const { userId, roles, claims, audit } = this.base;
    return new UserExecutionContext({
      userId,
      roles,
      claims,
      audit,
      signal: this.closing,
      requestId: newId('req'),
      createdAtMs: this.parts.clock.now(),
    });
  }

  private answer(send: () => void): void {
    const { socket } = this.parts;
    if (!socket.connected) return;
    send();
    if (this.outlet.isFlooded) cutConnection(socket.conn);
  }
}

function nameOf(name: unknown, [payload]: readonly unknown[]): string {
  return String(payload instanceof OversizedMessage ? payload.event : name).slice(0, MAX_NAME_LENGTH);
}
