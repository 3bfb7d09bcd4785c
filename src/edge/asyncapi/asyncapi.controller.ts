import { Controller, Get, Header } from '@nestjs/common';
import { ApiExcludeController } from '../openapi/api-decorators.js';
import { asyncApiDocument } from './document.js';
import { renderEventsPage } from './events-page.js';

/** The contract of everything that is said over sockets, for programs and for people; open to all. */
@ApiExcludeController()
@Controller()
export class AsyncApiController {
  private document: object | undefined;
  private page: string | undefined;

  @Get('asyncapi.json')
  asyncApi(): object {
    return (this.document ??= asyncApiDocument());
  }

  @Get('docs/events')
  @Header('content-type', 'text/html; charset=utf-8')
  events(): string {
    return (this.page ??= renderEventsPage());
  }
}
