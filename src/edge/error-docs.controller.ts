import { Controller, Get, Header } from '@nestjs/common';
import { ApiExcludeController } from './openapi/api-decorators.js';
import { renderErrorPage } from './error-docs.js';

const PAGE = renderErrorPage();

/** Where the `type` of a problem leads to; open to all, as it must be for whoever has no good token. */
@ApiExcludeController()
@Controller('docs/errors')
export class ErrorDocsController {
  @Get()
  @Header('content-type', 'text/html; charset=utf-8')
  page(): string {
    return PAGE;
  }
}
