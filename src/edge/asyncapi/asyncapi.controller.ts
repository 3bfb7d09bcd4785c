import { Controller, Get, Header } from '@nestjs/common';
import { lazily } from '../../shared/lazily.js';
import { ApiExcludeController } from '../openapi/api-decorators.js';

/** The contract of everything that is said over sockets, for programs and for people; open to all. */
@ApiExcludeController()
@Controller()
export class AsyncApiController {
  private readonly document = lazily(async () => (await import('./document.js')).asyncApiDocument());
  private readonly page = lazily(async () => (await import('./events-page.js')).renderEventsPage());

  @Get('asyncapi.json')
  asyncApi(): Promise<object> {
    return this.document();
  }

  @Get('docs/events')
  @Header('content-type', 'text/html; charset=utf-8')
  events(): Promise<string> {
    return this.page();
  }
}
