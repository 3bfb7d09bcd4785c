import { Controller, Get, Param } from '@nestjs/common';
import type { AgentDefinition } from '../agents/agent-definition.js';
import { AgentRegistry } from '../agents/agent-registry.service.js';
import { CarrelError } from '../shared/errors.js';
import type { ListView } from './list-view.js';
import { ApiTags, Documented } from './openapi/api-decorators.js';

type AgentView = Pick<
  AgentDefinition,
  'name' | 'description' | 'inputSchema' | 'example' | 'timeoutMs' | 'deadlineMs' | 'retry' | 'effect'
>;

/** What can be run; the same for every caller. */
@ApiTags('Agents')
@Controller('v1/agents')
export class AgentsController {
  constructor(private readonly registry: AgentRegistry) {}

  @Documented({
    summary: 'What can be run',
    answers: { 200: { description: 'All agents of this server.', schema: 'AgentList' } },
  })
  @Get()
  list(): ListView<AgentView> {
    return { items: this.registry.list().map(toAgentView) };
  }

  @Documented({
    summary: 'One agent',
    answers: { 200: { description: 'How it is declared.', schema: 'Agent' } },
    problems: ['invalid_request', 'not_found'],
  })
  @Get(':name')
  find(@Param('name') name: string): AgentView {
    const agent = this.registry.find(name);
    if (!agent) throw new CarrelError('not_found', 'there is no such agent');
    return toAgentView(agent);
  }
}

function toAgentView(agent: AgentDefinition): AgentView {
  const { name, description, inputSchema, example, timeoutMs, deadlineMs, retry, effect } = agent;
  return { name, description, inputSchema, example, timeoutMs, deadlineMs, retry, effect };
}
