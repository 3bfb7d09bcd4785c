// Writes the table of all settings into docs/configuration.md, between its markers: `npm run docs:config`, after a build.
import { readFileSync, writeFileSync } from 'node:fs';
import { renderConfigTable } from '../dist/config/config-table.js';

const file = new URL('../docs/configuration.md', import.meta.url);
const page = readFileSync(file, 'utf8');
const table = /(<!-- config:begin -->)[\s\S]*(<!-- config:end -->)/;
if (!table.test(page)) throw new Error('docs/configuration.md has no <!-- config:begin --> … <!-- config:end -->');
writeFileSync(
  file,
  page.replace(table, (_, begin, end) => `${begin}\n\n${renderConfigTable()}\n\n${end}`),
);
