import { Controller, Get, Header } from '@nestjs/common';
import { lazily } from '../shared/lazily.js';
import { ApiExcludeController } from './openapi/api-decorators.js';

/** Where the `type` of a problem leads to; open to all, as it must be for whoever has no good token. */
@ApiExcludeController()
@Controller('docs/errors')
export class ErrorDocsController {
  private readonly rendered = lazily(async () => (await import('./error-docs.js')).renderErrorPage());

  @Get()
  @Header('content-type', 'text/html; charset=utf-8')
  page(): Promise<string> {
    return this.rendered();
  }
}
