import type { LanguageModelV4 } from '@ai-sdk/provider';
import type { ModelConfig } from '../../../config/models-config.js';
import { CarrelError } from '../../../shared/errors.js';
import { didYouMean, nearNames } from '../../../shared/near-names.js';

/** A model as agents use it. Immutable, and the same for every user. */
export interface KnownModel extends Omit<ModelConfig, 'provider' | 'model'> {
  /** By the name that agents use. */
  readonly name: string;
  readonly model: LanguageModelV4;
  /** The provider takes a JSON Schema and keeps to it. */
  readonly keepsSchemas: boolean;
  /** What must not be said in logs: keys and headers. */
  readonly secrets: readonly string[];
}

/** The models of this server, by the names that agents use. Never changes after boot. */
export class ModelRegistry {
  readonly #byName: ReadonlyMap<string, KnownModel>;

  constructor(
    models: readonly KnownModel[],
    /** Of the model that is used by who names none. */
    private readonly defaultName: string | undefined,
  ) {
    this.#byName = new Map(models.map((model) => [model.name, Object.freeze(model)]));
  }

  get isEmpty(): boolean {
    return this.#byName.size === 0;
  }

  get hasDefault(): boolean {
    return this.defaultName !== undefined && this.#byName.has(this.defaultName);
  }

  /**
   * @param name undefined: the default model
   * @throws CarrelError `unknown_model` that says what to do
   */
  get(name: string | undefined): KnownModel {
    const model = this.#byName.get(name ?? this.defaultName ?? '');
    if (model) return model;
    if (this.isEmpty) {
      throw new CarrelError(
        'unknown_model',
        'No language model is configured; name a file with models in CARREL_MODELS_FILE.',
      );
    }
    const names = [...this.#byName.keys()];
    if (name === undefined) {
      throw new CarrelError(
        'unknown_model',
        `There is no default model; name one, or call one of ${names.join(', ')} "default".`,
      );
    }
    const hint = didYouMean(name, names) || ` There are: ${names.join(', ')}.`;
    throw new CarrelError('unknown_model', `There is no model "${name}".${hint}`, {
      details: { near: nearNames(name, names) },
    });
  }
}
