import { Controller, Get, Inject } from '@nestjs/common';
import { CARREL_CONFIG, type CarrelConfig } from '../config/config.js';
import { roleOf } from '../config/node-role.js';
import { HealthParts } from '../execution/health-parts.js';
import { Readiness } from '../execution/readiness.js';
import { CarrelError } from '../shared/errors.js';
import type { JsonObject } from '../shared/json.js';
import { ApiTags, Documented } from './openapi/api-decorators.js';
import { SERVER_FACTS } from './server-facts.js';

/** For machines that watch the server; open to all. */
@ApiTags('Health')
@Controller()
export class HealthController {
  constructor(
    private readonly readiness: Readiness,
    private readonly parts: HealthParts,
    @Inject(CARREL_CONFIG) private readonly config: CarrelConfig,
  ) {}

  /** The process answers: whoever asks starts another one when it does not. It looks at nothing else on purpose. */
  @Documented({
    summary: 'Liveness',
    answers: { 200: { description: 'The process answers.', schema: 'Health' } },
    open: true,
  })
  @Get('health')
  health() {
    return { status: 'ok' };
  }

  /** The process takes new runs, and what it stands on is there: whoever asks sends requests elsewhere when not. */
  @Documented({
    summary: 'Readiness',
    description: 'A part that is `degraded` does not make the server unready: it works, later or slower.',
    answers: { 200: { description: 'The process takes new runs.', schema: 'Readiness' } },
    problems: ['draining', 'not_ready'],
    open: true,
  })
  @Get('ready')
  async ready() {
    const { state } = this.readiness;
    if (state !== 'ready') throw new CarrelError('draining', `the server is ${state}`);
    const { status, parts } = await this.parts.report();
    if (status === 'down') {
      const down = Object.keys(parts).filter((name) => parts[name]?.status === 'down');
      const details = { parts: parts as unknown as JsonObject };
      throw new CarrelError('not_ready', `down: ${down.join(', ')}`, { details, retryAfterMs: 1_000 });
    }
    return { status: status === 'ok' ? 'ready' : status, parts };
  }

  @Documented({
    summary: 'What this server is',
    answers: { 200: { description: 'Name, versions, profile and role.', schema: 'ServerFacts' } },
    open: true,
  })
  @Get('info')
  info() {
    return { ...SERVER_FACTS, profile: this.config.profile.kind, role: roleOf(this.config) };
  }
}
