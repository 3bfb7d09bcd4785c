// Writes docs/errors.md, and the table of codes into README.md, between its markers: `npm run docs:errors`, after a build.
import { readFileSync, writeFileSync } from 'node:fs';
import { renderErrorDocs, renderErrorTable } from '../dist/edge/error-docs.js';

const root = new URL('../', import.meta.url);
const file = new URL('README.md', root);
const readme = readFileSync(file, 'utf8');
const table = /(<!-- errors:begin -->)[\s\S]*(<!-- errors:end -->)/;
if (!table.test(readme)) throw new Error('README.md has no <!-- errors:begin --> … <!-- errors:end -->');
writeFileSync(
  file,
  readme.replace(table, (_, begin, end) => `${begin}\n\n${renderErrorTable()}\n\n${end}`),
);
writeFileSync(new URL('docs/errors.md', root), renderErrorDocs());
