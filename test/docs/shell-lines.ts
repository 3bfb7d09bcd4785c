import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { buildProgram } from '../../src/cli/program.js';

const PROGRAM = await buildProgram();
const SCRIPTS = Object.keys((JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: object }).scripts);

/** What is wrong with a block of commands: its syntax, a command or an option that there is not, a request to no route. */
export function problemsInShell(code: string, routes: ReadonlySet<string>): string[] {
  const { status, stderr } = spawnSync('bash', ['-n'], { input: code, encoding: 'utf8' });
  if (status !== 0) return [stderr];
  const text = code.replaceAll('\\\n', ' ').replaceAll(/ # .*$/gm, '');
  return [
    ...[...text.matchAll(/(?<=^ *|\$\(|&& |; )(?:node dist\/main\.js|carrel) ([^\n|&;)]+)/gm)].flatMap(([, args]) =>
      problemsInCall(args!),
    ),
    ...[...text.matchAll(/\bnpm (?:run )?([\w:-]+)/g)].flatMap(([, script]) => problemsInScript(script!)),
    ...[...text.matchAll(/\bnode ((?:bench|scripts)\/\S+)/g)]
      .filter(([, file]) => !existsSync(file!))
      .map(([call]) => call),
    ...[...text.matchAll(/\bcurl (?:[^\n']|'[^']*')+/g)].flatMap(([call]) => problemsInRequest(call, routes)),
  ];
}

function problemsInCall(args: string): string[] {
  const words = args.trim().split(/\s+/);
  let command: Command | undefined = PROGRAM;
  while (command.commands.length > 0) {
    const word = words.shift();
    command = command.commands.find((one) => one.name() === word);
    if (!command) return [`carrel ${args}: there is no ${word}`];
  }
  const known = new Set(command.options.flatMap(({ long, short }) => [long, short]));
  return words
    .filter((word) => word.startsWith('-') && !known.has(word))
    .map((word) => `carrel ${args}: there is no ${word}`);
}

function problemsInScript(script: string): string[] {
  return ['ci', 'install', ...SCRIPTS].includes(script) ? [] : [`there is no npm run ${script}`];
}

function problemsInRequest(call: string, routes: ReadonlySet<string>): string[] {
  const [, path] = /(?:\$CARREL|http:\/\/127\.0\.0\.1:3000)(\/[^\s"'?)]*)/.exec(call) ?? [];
  if (!path) return [`${call}: no address of a server`];
  const method = / -X (\w+)/.exec(call)?.[1] ?? (/ -d /.test(call) ? 'POST' : 'GET');
  const route = `${method} ${path.replaceAll(/\$\w+|<\w+>/g, '{}')}`;
  return routes.has(route) ? [] : [`${route}: no such route`];
}

/** The routes of an OpenAPI document, with `{}` for each parameter. */
export function routesOf(document: { paths: Record<string, object> }): Set<string> {
  return new Set(
    Object.entries(document.paths).flatMap(([path, item]) =>
      Object.keys(item).map((method) => `${method.toUpperCase()} ${path.replaceAll(/\{[^}]+\}/g, '{}')}`),
    ),
  );
}
