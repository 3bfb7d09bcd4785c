import { Controller, Get } from '@nestjs/common';
import { Readiness } from '../execution/readiness.js';
import { CarrelError } from '../shared/errors.js';
import { SERVER_FACTS } from './server-facts.js';

/** For machines that watch the server; open to all. */
@Controller()
export class HealthController {
  constructor(private readonly readiness: Readiness) {}

  /** The process answers. */
  @Get('health')
  health() {
    return { status: 'ok' };
  }

  /** The process takes new runs. */
  @Get('ready')
  ready() {
    const { state } = this.readiness;
    if (state !== 'ready') throw new CarrelError('draining', `the server is ${state}`);
    return { status: state };
  }

  @Get('info')
  info() {
    return SERVER_FACTS;
  }
}
