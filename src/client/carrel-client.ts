import type { RunEvent } from '../events/run-event.js';
import type { EventsOptions } from './event-reader.js';
import { HttpDoor, type TokenSource } from './http-door.js';
import { LiveEvents, type TransportChoice } from './live-events.js';
import type { ClientStatus } from './live-feed.js';
import { Admin, Agents, Approvals, Me, Pipelines, Schedules, Threads, Tools } from './resources.js';
import { Runs } from './runs.js';

export interface CarrelClientOptions {
  /** Of the server, such as `https://carrel.example.com`. */
  readonly url: string;
  /** The caller's token, asked for with every request and every connection. */
  readonly token: TokenSource;
  /** @default 'auto' */
  readonly transport?: TransportChoice;
}

/** One user's view of a Carrel server, in a browser or in Node. Everything it gives is that user's own. */
export class CarrelClient implements Disposable {
  readonly agents: Agents;
  readonly pipelines: Pipelines;
  readonly runs: Runs;
  readonly threads: Threads;
  readonly approvals: Approvals;
  readonly schedules: Schedules;
  readonly tools: Tools;
  readonly me: Me;
  readonly admin: Admin;
  private readonly live: LiveEvents;

  constructor({ url, token, transport = 'auto' }: CarrelClientOptions) {
    const door = new HttpDoor(url.replace(/\/+$/, ''), token);
    this.live = new LiveEvents(door, transport);
    this.runs = new Runs(door, this.live);
    this.agents = new Agents(door);
    this.pipelines = new Pipelines(door);
    this.threads = new Threads(door);
    this.approvals = new Approvals(door);
    this.schedules = new Schedules(door);
    this.tools = new Tools(door);
    this.me = new Me(door);
    this.admin = new Admin(door);
  }

  /**
   * All events of the caller, in the order of `seq`, each once, over any number of connections. Ends with `signal`, or when the
   * loop is left.
   *
   * @throws CarrelClientError when the server refuses the caller; the signal's reason
   */
  events(options: EventsOptions = {}): AsyncGenerator<RunEvent, void, undefined> {
    return this.live.all(options);
  }

  /** Of the connection that events come over; it stands while somebody reads events. */
  get status(): ClientStatus {
    return this.live.status;
  }

  /** @returns ends it */
  onStatus(watcher: (status: ClientStatus) => void): () => void {
    return this.live.watch(watcher);
  }

  /** Ends the connection, and every loop over events. */
  close(): void {
    this.live.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
