import { readFileSync } from 'node:fs';
import { renderConfigTable } from '../../src/config/config-table.js';
import { flagsOf, SETTINGS } from '../../src/config/env.schema.js';

const PAGE = new URL('../../docs/configuration.md', import.meta.url);

describe('the table of settings', () => {
  it('has every setting with its flags and default', () => {
    const lines = renderConfigTable().split('\n');
    expect(lines).toHaveLength(SETTINGS.length + 2);
    expect(lines).toContainEqual(
      expect.stringMatching(/^\| `CARREL_USER_MAX_RUNNING` \| `--user-max-running` \| `3` \|/),
    );
    expect(lines).toContainEqual(
      expect.stringMatching(/^\| `CARREL_DATA_DIR` \| `--data`, `--data-dir` \| `\.carrel` \|/),
    );
    expect(lines).toContainEqual(expect.stringMatching(/^\| `NODE_ENV` \| {2}\|/));
  });

  it('is in docs/configuration.md as it is in the code (`npm run docs:config` writes it)', () => {
    const table = /<!-- config:begin -->\s*([\s\S]*?)\s*<!-- config:end -->/.exec(readFileSync(PAGE, 'utf8'))?.[1];
    expect(table && cellsOf(table)).toEqual(cellsOf(renderConfigTable()));
  });

  it('names every flag once', () => {
    const flags = SETTINGS.flatMap(flagsOf);
    expect(new Set(flags).size).toBe(flags.length);
    expect(flags).toContain('--user-starts-per-minute');
  });
});

/** A formatter may set the widths of a table's columns. */
function cellsOf(table: string): string[] {
  return table.split('\n').map((line) => line.replaceAll(/-{3,}/g, '---').replaceAll(/ +/g, ' ').trim());
}
