import { Inject, Injectable } from '@nestjs/common';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { CARREL_CONFIG, type CarrelConfig } from '../config/config.js';
import type { UserExecutionContext } from '../context/user-execution-context.js';
import { ExecutionEngineFactory } from '../execution/execution-engine.factory.js';
import { ExecutionService } from '../execution/execution.service.js';
import { RunRunner } from '../execution/run-runner.service.js';
import { isCarrelError } from '../shared/errors.js';
import type { RunId } from '../shared/ids.js';
import { ConnectionsOf, type Connections } from './connections-of.service.js';
import { IsolationWatch } from './isolation-watch.service.js';
import { ISOLATION_CHECKS, type IsolationCheckName } from './isolation-checks.js';

/** What a user holds in this process now, and whether it is theirs alone. */
export interface IsolationView {
  readonly isolated: boolean;
  readonly checks: readonly { readonly name: IsolationCheckName; readonly holds: boolean; readonly about: string }[];
  /** Under way in this process: each has an engine of its own. */
  readonly runs: readonly RunId[];
  /** DI sub-trees that are open for them. */
  readonly liveContexts: number;
  readonly permits: { readonly inUse: number; readonly max: number };
  readonly sockets: number;
  /** Rooms that the user's sockets are in, with how many there are in each. */
  readonly rooms: Readonly<Record<string, number>>;
  readonly streams: number;
}

/** Everything at one moment; but the lane comes from the store, and a run may begin or end meanwhile. */
interface Look {
  readonly runs: readonly RunId[];
  readonly foreignRuns: number;
  readonly liveContexts: number;
  readonly permitsInUse: number;
  readonly connections: Connections;
}

/** A run that ends between two figures of a look makes them disagree; what is wrong stays wrong for longer than this. */
const MAX_LOOKS = 5;

/** Looks at what a user holds here, from every side there is, and whether the sides agree. */
@Injectable()
export class IsolationCheck {
  constructor(
    private readonly execution: ExecutionService,
    private readonly runner: RunRunner,
    private readonly factory: ExecutionEngineFactory,
    private readonly connectionsOf: ConnectionsOf,
    private readonly watch: IsolationWatch,
    @Inject(CARREL_CONFIG) private readonly config: CarrelConfig,
  ) {}

  async of(context: UserExecutionContext): Promise<IsolationView> {
    for (let looks = 1; ; looks++) {
      const view = this.viewOf(await this.look(context));
      if (!view.isolated && looks === MAX_LOOKS) this.watch.noteViolation();
      if (view.isolated || looks === MAX_LOOKS) return view;
      await nextTurn();
    }
  }

  private async look(context: UserExecutionContext): Promise<Look> {
    const { userId } = context;
    const [{ running }, foreignRuns] = await Promise.all([
      this.execution.lane(context),
      this.foreignAmong(context, this.runner.activeOf(userId)),
    ]);
    return {
      runs: this.runner.activeOf(userId),
      foreignRuns,
      liveContexts: this.factory.liveContextsOf(userId),
      permitsInUse: running,
      connections: this.connectionsOf.user(userId),
    };
  }

  /** How many of these runs the store does not know as this user's. */
  private async foreignAmong(context: UserExecutionContext, runs: readonly RunId[]): Promise<number> {
    const known = await Promise.all(runs.map((runId) => this.isOwn(context, runId)));
    return known.filter((isOwn) => !isOwn).length;
  }

  private async isOwn(context: UserExecutionContext, runId: RunId): Promise<boolean> {
    try {
      return (await this.execution.find(context, runId)).userId === context.userId;
    } catch (error) {
      if (isCarrelError(error) && error.code === 'not_found') return false;
      throw error;
    }
  }

  private viewOf({ runs, foreignRuns, liveContexts, permitsInUse, connections }: Look): IsolationView {
    const { sockets, places, inRoom, strangersInRoom, foreignRooms, streams, foreignStreams, room } = connections;
    const holds: Record<IsolationCheckName, boolean> = {
      room_is_mine: strangersInRoom === 0,
      sockets_in_no_other_room: foreignRooms === 0,
      sockets_have_places: sockets === places,
      streams_are_mine: foreignStreams === 0,
      runs_are_mine: foreignRuns === 0,
      engines_have_permits: runs.length <= permitsInUse,
      contexts_have_runs: liveContexts === 0 || runs.length > 0,
    };
    const checks = ISOLATION_CHECKS.map(({ name, about }) => ({ name, holds: holds[name], about }));
    return {
      isolated: checks.every((check) => check.holds),
      checks,
      runs,
      liveContexts,
      permits: { inUse: permitsInUse, max: this.config.lane.maxRunning },
      sockets,
      rooms: inRoom === 0 ? {} : { [room]: inRoom },
      streams,
    };
  }
}
