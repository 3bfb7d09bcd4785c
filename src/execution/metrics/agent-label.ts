import { Injectable } from '@nestjs/common';
import { AgentRegistry } from '../../agents/agent-registry.service.js';
import { PipelineService } from '../pipeline/pipeline.service.js';

/** Agents and pipelines that have a label of their own. */
const MAX_LABELS = 200;

/** What a metric calls an agent: its name, if it is one of this server's. Names that come with requests are not labels. */
@Injectable()
export class AgentLabel {
  private readonly known = new Set<string>();

  constructor(
    private readonly registry: AgentRegistry,
    private readonly pipelines: PipelineService,
  ) {}

  of(name: string): string {
    if (this.known.has(name)) return name;
    const isOurs = this.registry.find(name) !== undefined || this.pipelines.find(name) !== undefined;
    if (!isOurs || this.known.size >= MAX_LABELS) return 'other';
    this.known.add(name);
    return name;
  }
}
