import { globSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { CarrelServer } from '../carrel-server.js';
import { DOCUMENTS, linksOf } from './all-documents.js';
import { blocksOf, fencesOf } from './code-blocks.js';
import { problemsInShell, routesOf } from './shell-lines.js';

/** How the code in each language is checked, on whatever page it is. */
const CHECKED: Readonly<Record<string, string>> = {
  ts: 'is type-checked by documents.spec.ts',
  json: 'is parsed there',
  sh: 'is checked below',
  js: 'is put into an agent, and run, by first-agent.spec.ts',
  http: 'is sent by migration-guide.spec.ts',
  text: 'is a picture, or what a command prints',
};

describe('all pages', () => {
  it('can be reached from README.md by links', () => {
    const found = new Set(['README.md']);
    for (const page of found) {
      for (const link of linksOf(page)) {
        const [file] = link.split('#');
        if (file?.endsWith('.md')) found.add(join(dirname(page), file));
      }
    }
    expect(DOCUMENTS.filter((page) => !found.has(page))).toEqual([]);
  });

  it('have code in languages that are checked', () => {
    const unchecked = DOCUMENTS.flatMap((page) => fencesOf(page).map(({ language }) => `${page}: ${language}`)).filter(
      (place) => CHECKED[place.split(': ')[1]!] === undefined,
    );
    // how the engine was called that people come from: it is not here to be run
    expect(unchecked).toEqual(['docs/migrating-from-shared-state.md: python']);
    expect(DOCUMENTS.filter((page) => blocksOf(page, 'js').length > 0)).toEqual(['docs/first-agent.md']);
    expect(DOCUMENTS.filter((page) => blocksOf(page, 'http').length > 0)).toEqual([
      'docs/migrating-from-shared-state.md',
    ]);
  });

  it('have commands, options, scripts and routes that there are', async () => {
    await using server = await CarrelServer.start();
    const alice = await server.as('alice');
    const { body } = await alice.http<{ paths: Record<string, object> }>('GET', '/docs-json');
    const problems = (code: string) => problemsInShell(code, routesOf(body));
    const found = DOCUMENTS.flatMap((page) =>
      blocksOf(page, 'sh')
        .flatMap(problems)
        .map((one) => `${page}: ${one}`),
    );
    expect(found).toEqual([]);
    for (const wrong of [
      'carrel begin',
      'carrel start --colour red',
      'npm run nothing',
      'node bench/nothing.mjs',
      'curl $CARREL/v1/nothing',
      'curl -X DELETE $CARREL/v1/agents',
      'if true',
    ]) {
      expect({ wrong, problems: problems(wrong).length }).toEqual({ wrong, problems: 1 });
    }
  });

  it('name tests that there are', () => {
    const named = DOCUMENTS.flatMap((page) =>
      [...readFileSync(page, 'utf8').matchAll(/`(test\/[^`\s]*)`/g)].map(([, path]) => path!),
    );
    expect(named.length).toBeGreaterThan(50);
    expect([...new Set(named)].filter((path) => globSync(path).length === 0)).toEqual([]);
  });
});

describe('docs/testing.md', () => {
  const rows = [...readFileSync('docs/testing.md', 'utf8').matchAll(/^\| I(\d+) +\|(.*)\|(.*)\|(.*)\|$/gm)];

  it('has tests, and faults that are seeded, for every promise', async () => {
    const { FAULTS } = (await import(resolve('test/faults/faults.mjs'))) as { FAULTS: readonly { name: string }[] };
    expect(rows.map(([, number]) => Number(number))).toEqual(Array.from({ length: 19 }, (_, i) => i + 1));
    const names = new Set(FAULTS.map(({ name }) => name));
    for (const [, number, , tests, faults] of rows) {
      const seeded = faults!.split(';').map((name) => name.trim());
      expect({ number, tests: /`test\//.test(tests!), unknown: seeded.filter((name) => !names.has(name)) }).toEqual({
        number,
        tests: true,
        unknown: [],
      });
    }
  });
});
