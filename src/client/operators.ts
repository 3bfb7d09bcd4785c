import type { AdminController } from '../edge/admin/admin.controller.js';
import type { AuditController } from '../edge/admin/audit.controller.js';
import type { NodesController } from '../edge/admin/nodes.controller.js';
import type { SwitchDto } from '../edge/admin/switch.dto.js';
import type { SwitchesController } from '../edge/admin/switches.controller.js';
import type { ListView } from '../edge/list-view.js';
import type { RunView } from '../edge/run-view.js';
import type { EventPage } from './event-reader.js';
import { at, Resource, type Answer, type Page, type RequestOptions } from './resource.js';

export type ExecutionFiguresView = Answer<AdminController, 'execution'>;
export type NodeView = Answer<NodesController, 'list'>['items'][number];
export type LaneView = Answer<AdminController, 'lanes'>['items'][number];
export type StuckRunView = Answer<AdminController, 'stuckRuns'>['items'][number];
export type KillSwitchView = Answer<SwitchesController, 'list'>['items'][number];
export type AuditEntryView = Answer<AuditController, 'list'>['items'][number];

/** For operators: the server, and not what users said and got. Needs the role `carrel:operator`. */
export class Operators extends Resource {
  execution(options?: RequestOptions): Promise<ExecutionFiguresView> {
    return this.get('/v1/admin/execution', options);
  }

  async nodes(options?: RequestOptions): Promise<readonly NodeView[]> {
    return (await this.get<ListView<NodeView>>('/v1/admin/nodes', options)).items;
  }

  /** Who has most waiting comes first. */
  lanes(page?: Page): Promise<ListView<LaneView>> {
    return this.get('/v1/admin/lanes', page);
  }

  /** Runs that have given no sign for so long, in milliseconds. */
  async stuckRuns(
    options?: RequestOptions & { limit?: number; quietForMs?: number },
  ): Promise<readonly StuckRunView[]> {
    return (await this.get<ListView<StuckRunView>>('/v1/admin/stuck-runs', options)).items;
  }

  async switches(options?: RequestOptions): Promise<readonly KillSwitchView[]> {
    return (await this.get<ListView<KillSwitchView>>('/v1/admin/switches', options)).items;
  }

  /** Switches an agent or a user off. */
  switchOff(what: SwitchDto, { signal }: RequestOptions = {}): Promise<Answer<SwitchesController, 'set'>> {
    return this.send('POST', '/v1/admin/switches', { body: what, signal });
  }

  switchOn({ kind, name }: Pick<SwitchDto, 'kind' | 'name'>, { signal }: RequestOptions = {}): Promise<void> {
    return this.send('DELETE', at(`/v1/admin/switches/${kind}`, name), { signal });
  }

  /** One user's runs as that user sees them; each look is written down. */
  runsOf(userId: string, page?: Page): Promise<ListView<RunView>> {
    return this.get(`${at('/v1/admin/users', userId)}/runs`, page);
  }

  runOf(userId: string, runId: string, options?: RequestOptions): Promise<RunView> {
    return this.get(at(`${at('/v1/admin/users', userId)}/runs`, runId), options);
  }

  /** A page of such a run's events, oldest first; `next` is what to ask for then (`after`). */
  eventsOf(
    userId: string,
    runId: string,
    page?: RequestOptions & { after?: number; limit?: number },
  ): Promise<EventPage> {
    return this.get(`${at(`${at('/v1/admin/users', userId)}/runs`, runId)}/events`, page);
  }

  /** What operators did, the newest first. */
  audit(page?: Page): Promise<ListView<AuditEntryView>> {
    return this.get('/v1/admin/audit', page);
  }
}
