import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

const SRC = resolve('src');

/** Folder → the folders that it may import from, beside itself. An edge that is not listed is a mistake. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  shared: [],
  config: ['shared'],
  context: ['shared'],
  events: ['shared', 'config', 'context'],
  agents: ['shared', 'config', 'context', 'events'],
  execution: ['shared', 'config', 'context', 'events', 'agents'],
  dispatch: ['shared', 'config', 'events', 'execution'],
  storage: ['shared', 'config', 'events', 'execution'],
  edge: ['shared', 'config', 'context', 'events', 'agents', 'execution'],
  /** `carrel/client`: for browsers, too. Nothing imports it. Of the edge it knows types, and nothing else. */
  client: ['events', 'edge'],
  /** `carrel/testing`: for the tests of people's own agents. Nothing imports it. */
  testing: ['shared', 'execution'],
  cli: ['shared', 'config', 'edge', 'events', '.'],
  /** Files right in src/: boot, composition root, public API. */
  '.': ['shared', 'config', 'context', 'events', 'agents', 'execution', 'edge', 'cli'],
};

interface SourceFile {
  /** Path below src/. */
  path: string;
  folder: string;
  text: string;
  imports: readonly string[];
}

const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts'))
  .map((path): SourceFile => {
    const text = readFileSync(join(SRC, path), 'utf8');
    const imports = [...text.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map(([, target]) => target!);
    return { path, folder: folderOf(path), text, imports };
  });

function folderOf(path: string): string {
  return path.includes('/') ? path.split('/')[0]! : '.';
}

/** The folder below src/ that a relative import leads to. */
function targetFolder(file: SourceFile, target: string): string | undefined {
  if (!target.startsWith('.')) return undefined;
  return folderOf(relative(SRC, resolve(SRC, dirname(file.path), target)));
}

function filesWith(pattern: RegExp, allowed: (file: SourceFile) => boolean): string[] {
  return files.filter((file) => !allowed(file) && pattern.test(file.text)).map(({ path }) => path);
}

function importersOf(packages: RegExp, allowed: (file: SourceFile) => boolean): string[] {
  return files
    .filter((file) => !allowed(file) && file.imports.some((target) => packages.test(target)))
    .map(({ path }) => path);
}

/** Files that may pick adapters: of the server, and of what moves the data of one profile to the other. */
const COMPOSITION_ROOTS = ['app.module.ts', 'open-migration.ts'];

describe('the structure of src/', () => {
  it('has the folders of the design and no others', () => {
    expect([...new Set(files.map(({ folder }) => folder))].toSorted()).toEqual(Object.keys(MAY_IMPORT).toSorted());
  });

  it('imports go along the data path only', () => {
    const wrong = files.flatMap((file) =>
      file.imports
        .map((target) => targetFolder(file, target))
        .filter(
          (target) => target !== undefined && target !== file.folder && !MAY_IMPORT[file.folder]?.includes(target),
        )
        .filter(() => !COMPOSITION_ROOTS.includes(file.path))
        .map((target) => `${file.path} imports ${target}/`),
    );
    expect(wrong).toEqual([]);
  });

  it('only the composition roots pick adapters', () => {
    const wrong = files
      .filter(({ path, folder }) => !COMPOSITION_ROOTS.includes(path) && folder !== 'storage' && folder !== 'dispatch')
      .filter((file) =>
        file.imports.some((target) => ['storage', 'dispatch'].includes(targetFolder(file, target) ?? '')),
      );
    expect(wrong.map(({ path }) => path)).toEqual([]);
  });

  it('sockets and HTTP are known in edge/ only', () => {
    const isEdge = ({ folder, path }: SourceFile) => folder === 'edge' || path === 'create-app.ts';
    const isClient = ({ path, folder }: SourceFile) => path === 'cli/demo-user.ts' || folder === 'client';
    expect(
      importersOf(
        /^(socket\.io|engine\.io|fastify|@fastify\/|@nestjs\/(platform|websockets|swagger))/,
        (file) => isEdge(file) || isClient(file),
      ),
    ).toEqual([]);
    expect(importersOf(/^(node:http|node:https)$/, isEdge)).toEqual([]);
  });

  it('SQL is known in storage/ only', () => {
    expect(importersOf(/^(node:sqlite|pg|kysely)$/, ({ folder }) => folder === 'storage')).toEqual([]);
  });

  it('queues and Redis are known in dispatch/ only', () => {
    expect(importersOf(/^(bullmq|ioredis)$/, ({ folder }) => folder === 'dispatch')).toEqual([]);
  });

  it('the environment is read in config/ only', () => {
    expect(filesWith(/process\.env/, ({ folder }) => folder === 'config')).toEqual([]);
  });

  it('the wall clock is read in shared/ only', () => {
    expect(filesWith(/Date\.now\(|new Date\(\)/, ({ folder }) => folder === 'shared')).toEqual([]);
  });

  it('no HTTP exceptions are thrown below the edge', () => {
    expect(
      filesWith(/\b(HttpException|NotFoundException|BadRequestException)\b/, ({ folder }) => folder === 'edge'),
    ).toEqual([]);
  });

  it('no file holds two ideas: none has more than 300 lines', () => {
    expect(files.filter(({ text }) => text.split('\n').length > 301).map(({ path }) => path)).toEqual([]);
  });

  it('no barrels, and no folders that say what kind of thing is inside', () => {
    expect(files.filter(({ path }) => path.endsWith('/index.ts')).map(({ path }) => path)).toEqual([]);
    expect(files.filter(({ path }) => /(^|\/)(interfaces|types|utils|helpers)\//.test(path))).toEqual([]);
  });

  it('nothing in it is a stub or a mock', () => {
    expect(filesWith(/\b(TODO|FIXME|XXX|mock|stub)\b/i, () => false)).toEqual([]);
  });
});
