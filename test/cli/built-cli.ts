import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';

export interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

export interface Running {
  child: ChildProcess;
  /** The next line on stdout that matches; rejects when the process ends first. */
  line(pattern: RegExp): Promise<string>;
  ended: Promise<Ended>;
}

/** The command line as it is shipped: compiled, in a folder of its own, started as a process. */
export class BuiltCli {
  readonly dir = mkdtempSync(join(tmpdir(), 'carrel-cli-'));
  private readonly started: ChildProcess[] = [];

  constructor() {
    const repository = resolve(import.meta.dirname, '../..');
    const swc = join(repository, 'node_modules/@swc/cli/bin/swc.js');
    const compile = [swc, 'src', '-d', join(this.dir, 'dist'), '--strip-leading-paths', '--quiet'];
    execFileSync(process.execPath, compile, { cwd: repository });
    cpSync(join(repository, 'package.json'), join(this.dir, 'package.json'));
    symlinkSync(join(repository, 'node_modules'), join(this.dir, 'node_modules'));
  }

  start(args: readonly string[], env: NodeJS.ProcessEnv = {}, nodeArgs: readonly string[] = []): Running {
    const child = spawn(process.execPath, [...nodeArgs, join(this.dir, 'dist/main.js'), ...args], {
      cwd: this.dir,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.started.push(child);
    const out = { stdout: '', stderr: '' };
    child.stdout.setEncoding('utf8').on('data', (text: string) => (out.stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (out.stderr += text));
    const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, ...out }));
    const lines = createInterface({ input: child.stdout });
    return { child, ended, line: (pattern) => nextLine(lines, pattern, ended) };
  }

  run(args: readonly string[], env?: NodeJS.ProcessEnv, nodeArgs?: readonly string[]): Promise<Ended> {
    return this.start(args, env, nodeArgs).ended;
  }

  async remove(): Promise<void> {
    for (const child of this.started) if (child.exitCode === null) child.kill('SIGKILL');
    rmSync(this.dir, { recursive: true, force: true });
  }
}

function nextLine(lines: ReturnType<typeof createInterface>, pattern: RegExp, ended: Promise<Ended>): Promise<string> {
  return new Promise((resolveLine, reject) => {
    const onLine = (line: string): void => {
      if (!pattern.test(line)) return;
      lines.off('line', onLine);
      resolveLine(line);
    };
    lines.on('line', onLine);
    void ended.then((end) => reject(new Error(`ended without ${String(pattern)}: ${JSON.stringify(end)}`)));
  });
}
