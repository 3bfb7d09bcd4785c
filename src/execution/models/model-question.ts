import type { UserExecutionContext } from '../../context/user-execution-context.js';
import type { ModelSteps } from '../model-step.js';
import type { PreparedPrompt } from './model-prompt.js';
import type { KnownModel } from './providers/model-registry.service.js';

/** What is asked of a model. */
export interface ModelQuestion {
  readonly context: UserExecutionContext;
  readonly steps: ModelSteps;
  /** By the name that agents use. @default the default model */
  readonly model?: string;
  /** The prompt for a model. Not asked for when the answer is recorded already. */
  prepare(model: KnownModel): Promise<PreparedPrompt>;
  /** @default the model's */
  readonly temperature?: number;
  readonly stopSequences?: readonly string[];
  /** At most this; the model's own limit counts, too. */
  readonly maxOutputTokens?: number;
  /** Nobody follows the answer: it is a tool's, not the user's. */
  readonly isSilent?: boolean;
}
