import type { ProviderV4 } from '@ai-sdk/provider';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { CarrelError } from '../../../shared/errors.js';

/** Names of npm packages; nothing else can be loaded. */
const PACKAGE_NAME = /^(@[a-z0-9-~][a-z0-9-._~]*\/)?[a-z0-9-~][a-z0-9-._~]*$/;

export type ModelProvider = Pick<ProviderV4, 'languageModel'>;

/**
 * Loads an AI SDK provider package, which the operator has installed beside Carrel, and makes the provider.
 *
 * @param folder whose `node_modules` is looked in first, then Carrel's own
 * @param options go to its `create…` function
 * @throws CarrelError `invalid_config` that says what to install, or what is wrong with the package
 */
export async function loadProvider(
  name: string,
  options: Readonly<Record<string, unknown>>,
  folder: string,
): Promise<ModelProvider> {
  if (!PACKAGE_NAME.test(name)) throw invalid(`"${name}" is not the name of an npm package`);
  const exported = (await importFrom(name, folder)) as Record<string, unknown>;
  const creator = Object.keys(exported).find((key) => /^create[A-Z]/.test(key) && typeof exported[key] === 'function');
  if (!creator) throw invalid(`the package ${name} exports no create… function, so it is no AI SDK provider`);
  const provider: unknown = (exported[creator] as (options: object) => unknown)(options);
  if (!isProvider(provider))
    throw invalid(`what ${creator} of ${name} makes has no languageModel(…), so it is no AI SDK provider`);
  return provider;
}

async function importFrom(name: string, folder: string): Promise<unknown> {
  for (const place of [join(folder, 'x.js'), import.meta.url]) {
    let file: string;
    try {
      file = createRequire(place).resolve(name);
    } catch {
      continue;
    }
    try {
      return await import(pathToFileURL(file).href);
    } catch (cause) {
      throw invalid(`the package ${name} can't be loaded: ${(cause as Error).message}`, cause);
    }
  }
  throw invalid(`the package ${name} is not installed; run \`npm install ${name}\` in ${folder}`);
}

function isProvider(value: unknown): value is ModelProvider {
  return (
    (typeof value === 'function' || (typeof value === 'object' && value !== null)) &&
    'languageModel' in value &&
    typeof value.languageModel === 'function'
  );
}

function invalid(reason: string, cause?: unknown): CarrelError {
  return new CarrelError('invalid_config', reason, { cause });
}
