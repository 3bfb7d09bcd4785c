import { accessSync, constants, mkdirSync } from 'node:fs';
import { enableCompileCache } from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';

/**
 * Keeps compiled code from one start to the next. Has to be called before what it is for is imported.
 *
 * Whoever can write into that folder can have anything carried out. So it is beside the code itself, or else in the
 * account's own folder, and never in one that accounts share. Where nothing can be written, nothing is kept, and what an
 * image has brought along is still read.
 */
export function keepCompiledCode(): void {
  const besideTheCode = join(import.meta.dirname, '../../.compile-cache');
  const folder = [() => besideTheCode, () => join(homedir(), '.cache/carrel/compiled')].find(isWritable);
  enableCompileCache(folder?.() ?? besideTheCode);
}

function isWritable(folder: () => string): boolean {
  try {
    mkdirSync(folder(), { recursive: true, mode: 0o700 });
    accessSync(folder(), constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
