import { Controller, Get, Header, Inject, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { CARREL_CONFIG, type CarrelConfig } from '../../config/config.js';
import { contextCarriedBy } from '../../context/context-carrier.js';
import { CarrelError } from '../../shared/errors.js';
import { OPERATOR_ROLE } from '../admin/operator.decorator.js';
import { ApiTags, Documented } from '../openapi/api-decorators.js';
import { ServerGauges } from './server-gauges.service.js';

/** For Prometheus. No figure is about one user, and no label names one. */
@ApiTags('Health')
@Controller('metrics')
export class MetricsController {
  constructor(
    private readonly gauges: ServerGauges,
    @Inject(CARREL_CONFIG) private readonly config: CarrelConfig,
  ) {}

  @Documented({
    summary: 'Metrics',
    description: `Open to all, or needs the role \`${OPERATOR_ROLE}\`, or is not there, as \`CARREL_METRICS\` says.`,
    answers: { 200: { description: 'In the text format of Prometheus.', schema: 'Metrics' } },
    problems: ['unauthenticated', 'forbidden', 'not_found'],
    open: true,
  })
  @Get()
  @Header('content-type', 'text/plain; version=0.0.4; charset=utf-8')
  metrics(@Req() request: FastifyRequest): Promise<string> {
    const { metrics } = this.config.http;
    if (metrics === 'off') throw new CarrelError('not_found', 'there are no metrics: CARREL_METRICS is off');
    const mayRead = metrics === 'open' || contextCarriedBy(request)?.roles.includes(OPERATOR_ROLE);
    if (!mayRead) throw new CarrelError('forbidden', `this needs the role ${OPERATOR_ROLE}`);
    return this.gauges.text();
  }
}
