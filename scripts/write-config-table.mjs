// Writes the table of all settings into README.md, between its markers: `npm run docs:config`, after a build.
import { readFileSync, writeFileSync } from 'node:fs';
import { renderConfigTable } from '../dist/config/config-table.js';

const file = new URL('../README.md', import.meta.url);
const readme = readFileSync(file, 'utf8');
const table = /(<!-- config:begin -->)[\s\S]*(<!-- config:end -->)/;
if (!table.test(readme)) throw new Error('README.md has no <!-- config:begin --> … <!-- config:end -->');
writeFileSync(
  file,
  readme.replace(table, (_, begin, end) => `${begin}\n\n${renderConfigTable()}\n\n${end}`),
);
