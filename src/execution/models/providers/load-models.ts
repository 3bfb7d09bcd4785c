import type { LanguageModelV4 } from '@ai-sdk/provider';
import type { ModelConfig, ModelProviderConfig, ModelsConfig } from '../../../config/models-config.js';
import { CarrelError } from '../../../shared/errors.js';
import { loadProvider, type ModelProvider } from './load-provider.js';
import { ModelRegistry, type KnownModel } from './model-registry.service.js';

const DEFAULT_NAME = 'default';
/** As in `models.json`. */
const MODEL_NAME = /^[A-Za-z0-9][A-Za-z0-9._:/-]{0,63}$/;

/** Models as objects, by the names that agents use: what code puts in the place of, or beside, `models.json`. */
export type GivenModels = Readonly<Record<string, LanguageModelV4>>;

/**
 * Makes all models of the configuration.
 *
 * @param given take the place of the configuration's models of the same name, with what it says of them otherwise
 * @param folder of the operator: where provider packages are installed
 * @throws CarrelError `invalid_config` that names the provider and the fix
 */
export async function loadModels(
  config: ModelsConfig | undefined,
  given: GivenModels,
  folder: string,
): Promise<ModelRegistry> {
  const configured = Object.entries(config?.models ?? {});
  const needed = new Set(configured.filter(([name]) => !(name in given)).map(([, { provider }]) => provider));
  const providers = new Map<string, { provider: ModelProvider; config: ModelProviderConfig }>();
  for (const [name, provider] of Object.entries(config?.providers ?? {})) {
    if (needed.has(name))
      providers.set(name, { provider: await makeProvider(name, provider, folder), config: provider });
  }
  const known = configured
    .filter(([name]) => !(name in given))
    .map(([name, model]) => knownModel(name, model, providers.get(model.provider)));
  const own = Object.entries(given).map(([name, model]): KnownModel => {
    const { provider: _, model: __, ...facts } = config?.models[name] ?? ({} as Partial<ModelConfig>);
    return { ...facts, name, model: speaking(name, model), keepsSchemas: true, secrets: [] };
  });
  const models = [...known, ...own];
  for (const { name } of models)
    if (!MODEL_NAME.test(name))
      throw new CarrelError(
        'invalid_config',
        `models: "${name}" can't be a model's name; use letters, digits and . _ : / -, at most 64`,
      );
  return new ModelRegistry(models, defaultNameOf(config, given));
}

/** Whether there is a model for agents that name none. */
export function hasDefaultModel(config: ModelsConfig | undefined, given: GivenModels): boolean {
  return defaultNameOf(config, given) !== undefined;
}

function defaultNameOf(config: ModelsConfig | undefined, given: GivenModels): string | undefined {
  if (config?.defaultModel !== undefined) return config.defaultModel;
  return DEFAULT_NAME in given || (config && DEFAULT_NAME in config.models) ? DEFAULT_NAME : undefined;
}

async function makeProvider(name: string, config: ModelProviderConfig, folder: string): Promise<ModelProvider> {
  if (config.kind === 'openai-compatible') {
    const { createOpenAICompatible } = await import('@ai-sdk/openai-compatible');
    const { baseURL, apiKey, headers } = config;
    return createOpenAICompatible({
      name,
      baseURL,
      apiKey,
      headers,
      includeUsage: true,
      supportsStructuredOutputs: keepsSchemas(config),
    });
  }
  try {
    return await loadProvider(config.package, config.options, folder);
  } catch (cause) {
    throw new CarrelError('invalid_config', `models: the provider "${name}": ${(cause as Error).message}`, { cause });
  }
}

function knownModel(
  name: string,
  { provider: providerName, model: id, ...facts }: ModelConfig,
  made: { provider: ModelProvider; config: ModelProviderConfig } | undefined,
): KnownModel {
  if (!made)
    throw new CarrelError(
      'invalid_config',
      `models: "${name}" names the provider "${providerName}", which is not among the providers`,
    );
  const model = speaking(name, made.provider.languageModel(id));
  return { ...facts, name, model, keepsSchemas: keepsSchemas(made.config), secrets: secretsOf(made.config) };
}

/** Of servers that only look like OpenAI nobody knows, unless the operator says so. */
function keepsSchemas(config: ModelProviderConfig): boolean {
  return config.kind === 'package' || config.structuredOutputs === true;
}

/** Versions of the interface are not the same to call. */
function speaking(name: string, model: LanguageModelV4): LanguageModelV4 {
  const version: unknown = model.specificationVersion;
  if (version === 'v4') return model;
  const text = `models: "${name}" is a model of specification ${String(version)}, and Carrel speaks v4: install the latest version of its provider's package`;
  throw new CarrelError('invalid_config', text);
}

function secretsOf(config: ModelProviderConfig): string[] {
  if (config.kind === 'package') return textsIn(config.options);
  return textsIn([config.apiKey, Object.values(config.headers ?? {})]);
}

function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsIn) : [];
}
