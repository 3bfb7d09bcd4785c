import { Controller, Get } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Readiness } from '../execution/readiness.js';
import { CarrelError } from '../shared/errors.js';
import { Documented } from './openapi/documented.decorator.js';
import { SERVER_FACTS } from './server-facts.js';

/** For machines that watch the server; open to all. */
@ApiTags('Health')
@Controller()
export class HealthController {
  constructor(private readonly readiness: Readiness) {}

  /** The process answers. */
  @Documented({
    summary: 'Liveness',
    answers: { 200: { description: 'The process answers.', schema: 'Health' } },
    open: true,
  })
  @Get('health')
  health() {
    return { status: 'ok' };
  }

  /** The process takes new runs. */
  @Documented({
    summary: 'Readiness',
    answers: { 200: { description: 'The process takes new runs.', schema: 'Readiness' } },
    problems: ['draining'],
    open: true,
  })
  @Get('ready')
  ready() {
    const { state } = this.readiness;
    if (state !== 'ready') throw new CarrelError('draining', `the server is ${state}`);
    return { status: state };
  }

  @Documented({
    summary: 'What this server is',
    answers: { 200: { description: 'Name, versions and profile.', schema: 'ServerFacts' } },
    open: true,
  })
  @Get('info')
  info() {
    return SERVER_FACTS;
  }
}
