import { dirname, resolve } from 'node:path';
import { didYouMean } from '../shared/near-names.js';
import { readJsonFile } from './json-file.js';
import type { Budget, ModelProviderConfig, ModelsConfig } from './models-config.js';
import { MODELS_FILE, type ModelsFile } from './models-file.schema.js';
import { withSecrets, type Secrets } from './secrets.js';

type Complain = (problem: string) => void;
type ProviderEntry = ModelsFile['providers'][string];

/**
 * Reads and checks `models.json` (CARREL_MODELS_FILE).
 *
 * @param problems is told everything that is wrong with it, each with file and place, but never a value of a provider
 */
export function readModelsFile(file: string, secrets: Secrets, problems: string[]): ModelsConfig | undefined {
  const path = resolve(file);
  const complain: Complain = (problem) => problems.push(`CARREL_MODELS_FILE, ${path}: ${problem}`);
  const read = readJsonFile(path, MODELS_FILE);
  if ('problems' in read) {
    read.problems.forEach(complain);
    return undefined;
  }
  const { models, budgets } = read.data;
  const providers = Object.fromEntries(
    Object.entries(read.data.providers).map(([name, entry]) => [name, providerFrom(name, entry, secrets, complain)]),
  );
  [...problemsWithModels(read.data), ...problemsWithPrices(read.data)].forEach(complain);
  const defaultModel = read.data.defaultModel ?? (Object.hasOwn(models, 'default') ? 'default' : undefined);
  return { providers, models, defaultModel, budgets, folder: dirname(path) };
}

function providerFrom(name: string, entry: ProviderEntry, secrets: Secrets, complain: Complain): ModelProviderConfig {
  const fill = <T>(value: T, place: string) => filled(value, `providers.${name}.${place}`, secrets, complain) as T;
  if ('package' in entry) {
    return { kind: 'package', package: entry.package, options: fill(entry.options ?? {}, 'options') };
  }
  const baseURL = fill(entry.baseURL, 'baseURL');
  if (!isUsableUrl(baseURL)) {
    complain(`providers.${name}.baseURL must be an http(s) URL without a user name or password in it`);
  }
  const { apiKey, headers, structuredOutputs } = entry;
  return {
    kind: 'openai-compatible',
    baseURL,
    ...(apiKey !== undefined && { apiKey: fill(apiKey, 'apiKey') }),
    ...(headers && { headers: fill(headers, 'headers') }),
    ...(structuredOutputs !== undefined && { structuredOutputs }),
  };
}

/** A copy with the secrets filled into all texts. */
function filled(value: unknown, place: string, secrets: Secrets, complain: Complain): unknown {
  if (typeof value === 'string') return filledText(value, place, secrets, complain);
  if (Array.isArray(value)) return value.map((item, i) => filled(item, `${place}[${i}]`, secrets, complain));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, item]) => [key, filled(item, `${place}.${key}`, secrets, complain)]);
  return Object.fromEntries(entries) as unknown;
}

function filledText(text: string, place: string, secrets: Secrets, complain: Complain): string {
  for (const [placeholder] of text.matchAll(/\$\{(?!secret\.\w+\})[^{}]*\}?/g)) {
    complain(`${place} asks for ${placeholder}, which there is not; there is \${secret.NAME}`);
  }
  return withSecrets(text, secrets, (name) =>
    complain(`${place} asks for \${secret.${name}}: set the variable CARREL_SECRET_${name}`),
  );
}

function isUsableUrl(text: string): boolean {
  const url = URL.parse(text.replaceAll(/\$\{[^{}]*\}/g, 'x'));
  return url !== null && /^https?:$/.test(url.protocol) && url.username === '' && url.password === '';
}

function problemsWithModels({ providers, models, defaultModel }: ModelsFile): string[] {
  const names = Object.keys(models);
  const noModel = (place: string, name: string) =>
    `${place} is "${name}", which is no model of this file.${didYouMean(name, names)}`;
  const problems = Object.entries(models).flatMap(([name, { provider, fallback }]) => [
    ...(Object.hasOwn(providers, provider)
      ? []
      : [`models.${name}.provider is "${provider}", which is none.${didYouMean(provider, Object.keys(providers))}`]),
    ...(fallback === undefined || Object.hasOwn(models, fallback)
      ? []
      : [noModel(`models.${name}.fallback`, fallback)]),
  ]);
  if (defaultModel !== undefined && !Object.hasOwn(models, defaultModel)) {
    problems.push(noModel('defaultModel', defaultModel));
  }
  return [...problems, ...problemsWithCycles(models)];
}

/** Each circle of fallbacks once, from the name that comes first in it. */
function problemsWithCycles(models: ModelsFile['models']): string[] {
  return Object.keys(models).flatMap((name) => {
    const way = [name];
    for (let next = models[name]?.fallback; next !== undefined; next = models[next]?.fallback) {
      if (next === name)
        return isFirst(name, way) ? [`models.${name}.fallback leads back to it: ${[...way, name].join(' → ')}`] : [];
      if (way.includes(next)) return [];
      way.push(next);
    }
    return [];
  });
}

function isFirst(name: string, others: readonly string[]): boolean {
  return others.every((other) => name <= other);
}

/** A budget of money says nothing about a model whose price nobody knows. */
function problemsWithPrices({ models, budgets }: ModelsFile): string[] {
  const named = [['default', budgets?.default] as const, ...Object.entries(budgets?.roles ?? {})];
  const inMoney = named.flatMap(([name, budget]) => (budget && limitsMoney(budget) ? [name] : []));
  if (inMoney.length === 0) return [];
  const unpriced = Object.keys(models).filter((name) => models[name]?.price === undefined);
  return unpriced.map(
    (name) => `models.${name}.price is missing, and there is a budget in money (${inMoney.join(', ')})`,
  );
}

function limitsMoney({ run, day, month }: Budget): boolean {
  return [run, day, month].some((allowance) => allowance?.usd !== undefined);
}
