import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { promisify } from 'node:util';
import { CarrelServer } from '../carrel-server.js';
import { ScriptedAgentsModule } from '../scripted-agents.module.js';

const ENTRY = resolve('dist/client/client.js');

/** Everything that the built client brings along: files of this package, and names of others. */
function importsOf(entry: string): { files: Set<string>; packages: Set<string> } {
  const files = new Set<string>();
  const packages = new Set<string>();
  const visit = (file: string) => {
    if (files.has(file)) return;
    files.add(file);
    for (const [, target] of readFileSync(file, 'utf8').matchAll(/(?:from|import)\s*\(?\s*["']([^"']+)["']/g)) {
      if (target!.startsWith('.')) visit(resolve(dirname(file), target!));
      else packages.add(target!);
    }
  };
  visit(entry);
  return { files, packages };
}

describe('carrel/client', () => {
  it('needs socket.io-client and nothing else, neither of Node nor of the server', () => {
    const { files, packages } = importsOf(ENTRY);
    expect([...packages]).toEqual(['socket.io-client']);
    const foreign = [...files].filter((file) => dirname(file) !== dirname(ENTRY));
    expect(foreign).toEqual([resolve('dist/events/run-event.js')]);
  });

  it('is exported by the package, with its types', () => {
    const { exports } = JSON.parse(readFileSync('package.json', 'utf8')) as {
      exports: Record<string, { types: string; default: string }>;
    };
    expect(exports['./client']!.default).toBe('./dist/client/client.js');
    expect(existsSync(exports['./client']!.default)).toBe(true);
    expect(exports['./client']!.types).toBe('./dist/client/client.d.ts');
  });

  it('needs nothing that Node 20, or a page that came over plain HTTP, does not have', async () => {
    await using server = await CarrelServer.start({ agents: [ScriptedAgentsModule] });
    const script = `
      delete Promise.withResolvers;
      delete Crypto.prototype.randomUUID;
      const { CarrelClient } = await import(${JSON.stringify(ENTRY)});
      const client = new CarrelClient({ url: '${server.url}', token: () => '${await server.token('alice')}' });
      const run = await client.runs.start({ agent: 'echo', input: { text: 'old' } });
      const types = [];
      for await (const { type } of run.events()) types.push(type);
      console.log(types.at(-1));`;
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script]);
    expect(stdout.trim()).toBe('agent_completed');
  });
});
