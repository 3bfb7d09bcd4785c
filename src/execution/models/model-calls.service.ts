import { Inject, Injectable, Logger } from '@nestjs/common';
import { CARREL_CONFIG, type CarrelConfig } from '../../config/config.js';
import type { RunEventData } from '../../events/run-event.js';
import { CLOCK, type Clock } from '../../shared/clock.js';
import { CarrelError, isCarrelError } from '../../shared/errors.js';
import type { JsonValue } from '../../shared/json.js';
import type { ModelCall } from '../model-step.js';
import { Budgets } from './budgets.service.js';
import { ModelAttempt } from './model-attempt.js';
import type { ModelAnswer } from './model-answer.js';
import type { ModelQuestion } from './model-question.js';
import { ModelRegistry, type KnownModel } from './providers/model-registry.service.js';

export interface ModelReply {
  /** Name of the model that answered. */
  readonly model: string;
  readonly answer: ModelAnswer;
}

/** Asks models: each answer is a durable step of its run, so that none is paid for twice. */
@Injectable()
export class ModelCalls {
  private readonly logger = new Logger(ModelCalls.name);

  constructor(
    private readonly models: ModelRegistry,
    private readonly budgets: Budgets,
    @Inject(CARREL_CONFIG) private readonly config: CarrelConfig,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /**
   * Asks the model, as often as its failures allow (waiting as long as the provider wants), then its fallback.
   *
   * @throws CarrelError `unknown_model` | `budget_exceeded` | `model_refused` | `model_failed`
   */
  async ask(question: ModelQuestion): Promise<ModelReply> {
    let model = this.models.get(question.model);
    let fallback: RunEventData['agent_fallback'] | undefined;
    for (;;) {
      try {
        const asked = model;
        const retry = { attempts: this.config.runs.retryAttempts };
        const answer = await question.steps.model(
          model.name.replaceAll(NOT_IN_A_NAME, '_'),
          (call) => this.call(question, asked, call) as Promise<ModelAnswer & JsonValue>,
          { retry, fallback },
        );
        return { model: model.name, answer };
      } catch (error) {
        question.context.signal.throwIfAborted();
        if (model.fallback === undefined || !isFailureOfModel(error)) throw error;
        fallback = { from: model.name, to: model.fallback, reason: error.message };
        model = this.models.get(model.fallback);
      }
    }
  }

  /** One try: with the budget for it set aside before, and what it took counted after. */
  private async call(question: ModelQuestion, model: KnownModel, call: ModelCall): Promise<ModelAnswer> {
    const prepared = await question.prepare(model);
    const attempt = new ModelAttempt(question, model, prepared, call);
    const reservation = await this.budgets.reserve(question.context, {
      model: model.name,
      key: `${call.path}#${call.attempt}`,
      estimate: this.config.models?.budgets ? attempt.estimate() : NOTHING,
      onWarning: (warning) => call.warn(warning),
    });
    try {
      const { warnings, ...answer } = await attempt.carryOut(this.clock);
      for (const warning of warnings) this.logger.warn({ model: model.name, warning }, 'the provider warns');
      return answer;
    } finally {
      if (attempt.used) call.use(attempt.used);
      await reservation.settle(attempt.spent);
    }
  }
}

/** What a path has no place for. */
const NOT_IN_A_NAME = /[/:]/g;
const NOTHING = { inputTokens: 0, outputTokens: 0 };

/** What another model may do better. */
function isFailureOfModel(error: unknown): error is CarrelError {
  return isCarrelError(error) && (error.code === 'model_failed' || error.code === 'model_refused');
}
