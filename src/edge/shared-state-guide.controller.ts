import { Controller, Get, Header } from '@nestjs/common';
import { readFileSync } from 'node:fs';
import { lazily } from '../shared/lazily.js';
import { ApiExcludeController } from './openapi/api-decorators.js';

const GUIDE = new URL('../../docs/migrating-from-shared-state.md', import.meta.url);

const HEAD = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Carrel: coming from a shared state object</title>
<style>
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
  td, th { text-align: left; vertical-align: top; padding: .2rem .6rem; border-top: 1px solid #ccc }
  pre { overflow: auto; background: #f4f4f4; padding: .6rem }
</style>`;

/** The guide that the `Link` of each answer of the old door leads to; open to all. */
@ApiExcludeController()
@Controller('docs/migrating-from-shared-state')
export class SharedStateGuideController {
  private readonly page = lazily(async () => {
    const { marked } = await import('marked');
    return `${HEAD}\n${marked.parse(readFileSync(GUIDE, 'utf8'), { async: false })}</html>\n`;
  });

  @Get()
  @Header('content-type', 'text/html; charset=utf-8')
  guide(): Promise<string> {
    return this.page();
  }
}
