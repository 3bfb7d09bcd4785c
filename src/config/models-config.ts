/** `models.json`, checked, with its secrets filled in. */
export interface ModelsConfig {
  readonly providers: Readonly<Record<string, ModelProviderConfig>>;
  /** By the name that agents use. */
  readonly models: Readonly<Record<string, ModelConfig>>;
  /** Name of the model that an agent uses which names none. @default `default`, when there is one of that name */
  readonly defaultModel?: string;
  readonly budgets?: BudgetsConfig;
  /** Where provider packages are looked for first: the file's folder. @default the working directory */
  readonly folder?: string;
}

export type ModelProviderConfig =
  /** A server that speaks OpenAI's chat completions. */
  | {
      readonly kind: 'openai-compatible';
      readonly baseURL: string;
      readonly apiKey?: string;
      readonly headers?: Readonly<Record<string, string>>;
      /** It takes JSON Schemas (`response_format: json_schema`) and keeps to them. @default false */
      readonly structuredOutputs?: boolean;
    }
  /** An AI SDK provider by its package, such as `@ai-sdk/anthropic`, which the operator has installed beside Carrel. */
  | { readonly kind: 'package'; readonly package: string; readonly options: Readonly<Record<string, unknown>> };

export interface ModelConfig {
  readonly provider: string;
  /** What the provider calls it. */
  readonly model: string;
  /** Another model's name: answers when this one has failed for good, and the run is `degraded` then. */
  readonly fallback?: string;
  /** US dollars for a million tokens. Without it, money is not counted for this model, and a budget of money refuses it. */
  readonly price?: { readonly input: number; readonly output: number; readonly cachedInput?: number };
  /** How many tokens of conversation are read back at most. @default 16000 */
  readonly historyTokens?: number;
  /** @default 4096 */
  readonly maxOutputTokens?: number;
  readonly temperature?: number;
}

/** What a user may use. `roles`: the most generous of those that the user has counts, else `default`. */
export interface BudgetsConfig {
  readonly default?: Budget;
  readonly roles?: Readonly<Record<string, Budget>>;
}

export interface Budget {
  readonly run?: Allowance;
  /** UTC. */
  readonly day?: Allowance;
  /** UTC, calendar months. */
  readonly month?: Allowance;
}

/** At least one of them. */
export interface Allowance {
  readonly tokens?: number;
  /** US dollars. */
  readonly usd?: number;
}
