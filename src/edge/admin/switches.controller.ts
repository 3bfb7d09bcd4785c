import { Body, Controller, Delete, Get, HttpCode, Param, Post } from '@nestjs/common';
import { AgentRegistry } from '../../agents/agent-registry.service.js';
import type { UserExecutionContext } from '../../context/user-execution-context.js';
import { KillSwitches } from '../../execution/operations/kill-switches.service.js';
import type { KillSwitch, SwitchSubject } from '../../execution/operations/operations-store.port.js';
import { PipelineService } from '../../execution/pipeline/pipeline.service.js';
import { CarrelError } from '../../shared/errors.js';
import { whyNotUserId } from '../../shared/ids.js';
import { CHECKED } from '../checked.pipe.js';
import { ApiParam, ApiTags, Documented } from '../openapi/api-decorators.js';
import { isoTime } from '../run-view.js';
import { CurrentOperator, NEEDS_ROLE } from './operator.decorator.js';
import { SWITCH_KINDS, SwitchDto } from './switch.dto.js';

/** Agents and users that are switched off. */
@ApiTags('Operators')
@Controller('v1/admin/switches')
export class SwitchesController {
  constructor(
    private readonly switches: KillSwitches,
    private readonly registry: AgentRegistry,
    private readonly pipelines: PipelineService,
  ) {}

  @Documented({
    summary: 'What is switched off',
    description: NEEDS_ROLE,
    answers: { 200: { description: 'All of it.', schema: 'KillSwitchList' } },
    problems: ['forbidden'],
  })
  @Get()
  async list(@CurrentOperator() _operator: UserExecutionContext) {
    return { items: (await this.switches.list()).map(toView) };
  }

  @Documented({
    summary: 'Switch an agent or a user off',
    description: `${NEEDS_ROLE} It holds until it is taken back, over restarts, and within two seconds in all processes. A new run is refused with \`agent_disabled\` or \`user_suspended\`; an agent's run that waited fails when its turn comes. Sent again, it changes the reason.`,
    answers: { 200: { description: 'It is off.', schema: 'KillSwitchSet' } },
    problems: [
      'forbidden',
      'invalid_request',
      'unknown_agent',
      'too_many_switches',
      'payload_too_large',
      'unsupported_media_type',
    ],
  })
  @Post()
  @HttpCode(200)
  async set(@CurrentOperator() operator: UserExecutionContext, @Body(CHECKED) body: SwitchDto) {
    const { kind, name, reason, cancelRuns = false } = body;
    this.assertIsThere({ kind, name });
    const { killSwitch, cancelled } = await this.switches.set(operator, { kind, name }, { reason, cancelRuns });
    return { ...toView(killSwitch), cancelled };
  }

  @Documented({
    summary: 'Switch an agent or a user on again',
    description: NEEDS_ROLE,
    answers: { 204: { description: 'It is on.' } },
    problems: ['forbidden', 'not_found'],
  })
  @ApiParam({ name: 'kind', schema: { type: 'string', enum: [...SWITCH_KINDS] } })
  @ApiParam({ name: 'name', schema: { type: 'string' }, example: 'summarise' })
  @Delete(':kind/:name')
  @HttpCode(204)
  async unset(
    @CurrentOperator() operator: UserExecutionContext,
    @Param('kind') kind: string,
    @Param('name') name: string,
  ): Promise<void> {
    await this.switches.unset(operator, { kind: kind as SwitchSubject['kind'], name });
  }

  /** A name with a slip of the pen would switch nothing off, and nobody would notice. */
  private assertIsThere({ kind, name }: SwitchSubject): void {
    const why = kind === 'user' ? whyNotUserId(name) : undefined;
    if (why) throw new CarrelError('invalid_request', why);
    if (kind === 'agent' && !this.pipelines.find(name)) this.registry.get(name);
  }
}

function toView({ atMs, ...killSwitch }: KillSwitch) {
  return { ...killSwitch, at: isoTime(atMs) };
}
