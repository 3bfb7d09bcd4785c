import { Controller, Get, Header } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { ERRORS } from '../shared/errors.js';

/** Where the `type` of a problem leads to. */
@ApiExcludeController()
@Controller('docs/errors')
export class ErrorDocsController {
  @Get()
  @Header('content-type', 'text/html; charset=utf-8')
  list(): string {
    return PAGE;
  }
}

const ROWS = Object.entries(ERRORS).map(
  ([code, { status, title, retryable }]) =>
    `<tr id="${code}"><td><code>${code}</code></td><td>${status}</td><td>${title}</td><td>${retryable ? 'yes' : 'no'}</td></tr>`,
);

const PAGE = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Carrel: error codes</title>
<style>
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
  td, th { text-align: left; padding: .3rem 1rem .3rem 0; border-bottom: 1px solid #ccc }
  tr:target { background: #ffd }
</style>
<h1>Error codes</h1>
<p>Codes never change their meaning. “Again” says whether the same call may succeed when it is made again unchanged.</p>
<table>
<tr><th>Code</th><th>Status</th><th>What it says</th><th>Again</th></tr>
${ROWS.join('\n')}
</table>
</html>
`;
