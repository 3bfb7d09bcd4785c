import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import ts from 'typescript';

/** The code of a document, by the language that its blocks name. */
export function blocksOf(path: string, language: string): string[] {
  return fencesOf(path).flatMap((fence) => (fence.language === language ? [fence.code] : []));
}

/** Every block of code that a document has, also inside of a list, in its order. */
export function fencesOf(path: string): { language: string; code: string }[] {
  const text = readFileSync(path, 'utf8');
  const fences = text.matchAll(/^( *)```(\S*)\n([\s\S]*?)^\1```$/gm);
  return [...fences].map(([, indent, language, code]) => ({
    language: language!,
    code: code!.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
  }));
}

/** The TypeScript of a document as modules: a block that imports nothing goes on where the one before it ended. */
export function modulesOf(path: string): string[] {
  const modules: string[] = [];
  for (const block of blocksOf(path, 'ts')) {
    if (modules.length === 0 || /^import /m.test(block)) modules.push(block);
    else modules.push(`${modules.pop()}\n${block}`);
  }
  return modules;
}

/** What TypeScript has against them, each as a module of an application that has Carrel installed. */
export function problemsIn(modules: readonly string[]): string[] {
  const sources = new Map(modules.map((text, i) => [resolve(`test/docs/block-${i}.ts`), text]));
  const config = ts.getParsedCommandLineOfConfigFile(
    'tsconfig.json',
    { noEmit: true },
    {
      ...ts.sys,
      onUnRecoverableConfigFileDiagnostic: () => undefined,
    },
  );
  const options: ts.CompilerOptions = {
    ...config?.options,
    paths: {
      carrel: [join(process.cwd(), 'src/index.ts')],
      'carrel/client': [join(process.cwd(), 'src/client/client.ts')],
      'carrel/testing': [join(process.cwd(), 'src/testing/scripted-model.ts')],
    },
    noUnusedLocals: false,
  };
  const host = ts.createCompilerHost(options);
  const { readFile, fileExists, getSourceFile } = host;
  host.readFile = (path) => sources.get(path) ?? readFile(path);
  host.fileExists = (path) => sources.has(path) || fileExists(path);
  host.getSourceFile = (path, ...rest) => {
    const text = sources.get(path);
    return text === undefined
      ? getSourceFile(path, ...rest)
      : ts.createSourceFile(path, text, ...(rest.slice(0, 1) as [ts.ScriptTarget]));
  };
  const program = ts.createProgram([...sources.keys()], options, host);
  return [...sources.keys()].flatMap((path) => {
    const file = program.getSourceFile(path);
    return [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)].map(({ messageText }) =>
      ts.flattenDiagnosticMessageText(messageText, '\n'),
    );
  });
}
