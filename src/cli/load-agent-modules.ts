import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
// oxlint-disable-next-line import/no-unassigned-import -- it is what adds `Reflect.hasMetadata`; Nest comes later
import 'reflect-metadata';
import type { Type } from '@nestjs/common';
import { CarrelError } from '../shared/errors.js';

const FIX = 'its default export must be a Nest module class (decorated with @Module), or a list of them';

/**
 * Loads the modules of agents that a team keeps in files of its own; paths are relative to the working directory.
 *
 * @throws CarrelError `invalid_config` that names the file
 */
export async function loadAgentModules(paths: readonly string[]): Promise<Type[]> {
  const modules: Type[] = [];
  for (const path of paths) modules.push(...(await modulesOf(path)));
  return modules;
}

async function modulesOf(path: string): Promise<readonly Type[]> {
  const file = resolve(path);
  if (!existsSync(file)) throw new CarrelError('invalid_config', `--agents ${path}: there is no file ${file}`);
  const exported = await defaultExportOf(path, file);
  const modules: readonly unknown[] = Array.isArray(exported) ? exported : [exported];
  if (modules.length > 0 && modules.every(isClass)) {
    const plain = modules.find((module) => !offersSomething(module));
    if (!plain) return modules;
    const why = `the class ${plain.name || 'without a name'} is not decorated with @Module, or its module has nothing in it`;
    throw new CarrelError('invalid_config', `--agents ${path}: ${why}; ${FIX}`);
  }
  throw new CarrelError('invalid_config', `--agents ${path}: ${describe(exported)}; ${FIX}`);
}

async function defaultExportOf(path: string, file: string): Promise<unknown> {
  try {
    return ((await import(pathToFileURL(file).href)) as { default?: unknown }).default;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new CarrelError('invalid_config', `--agents ${path}: the file can't be loaded: ${reason}`, { cause });
  }
}

function isClass(value: unknown): value is Type {
  return typeof value === 'function' && /^class\b/.test(Function.prototype.toString.call(value));
}

/** Nest takes any class for a module, and would leave out an agent that is exported by itself without a word. */
function offersSomething(module: Type): boolean {
  return ['providers', 'imports', 'controllers', 'exports'].some((key) => Reflect.hasMetadata(key, module));
}

function describe(exported: unknown): string {
  if (exported === undefined) return 'it has no default export';
  if (Array.isArray(exported))
    return exported.length === 0 ? 'it exports an empty list' : 'not everything in its list is a class';
  return `its default export is no class (${exported === null ? 'null' : typeof exported})`;
}
