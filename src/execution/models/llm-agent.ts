import { Inject } from '@nestjs/common';
import type { AgentProvider } from '../../agents/agent-provider.js';
import type { AgentRun } from '../../agents/agent-run.js';
import type { TokenUsage } from './model-answer.js';
import { LlmRunner } from './llm-runner.service.js';
import type { OutputSchema } from './structured-output.js';

/** What a model has come to, after all its calls of tools. */
export interface LlmAnswer<Output = unknown> {
  /** Its last words. */
  readonly text: string;
  /** The same as data; undefined without a schema. */
  readonly output: Output;
  /** Name of the model that answered: another than the agent's own if a fallback did. */
  readonly model: string;
  /** Calls of models. */
  readonly calls: number;
  readonly usage: TokenUsage;
  /** The model ran into its limit of tokens: the text is not whole. */
  readonly isCut: boolean;
}

/** Where the conversation of one run is. */
export interface LlmProgress {
  readonly calls: number;
  /** The last words of the model. */
  readonly text: string;
  readonly usage: TokenUsage;
}

/**
 * An agent that has a language model do the work. A class needs a `prompt`; everything else has a default. Members may be
 * set in the constructor, and so depend on what is injected. Each call of a model and of a tool is a durable step of the run.
 *
 * The members are looked at once at boot, in an instance that nothing was injected into: a model that is not there, a schema or a
 * pattern that can't be used stops the boot.
 */
export abstract class LlmAgent<Input = unknown, Output = unknown> implements AgentProvider<Input> {
  /** By its name in `models.json`. @default the default model */
  readonly model?: string;

  /** Tools that the model may use: `server/tool`, where `*` stands for any characters; the application's own are `app/…`. */
  readonly tools: readonly string[] = [];

  /** What the model's last answer must be: a DTO class, a Standard Schema or a JSON Schema. @default words */
  readonly output?: OutputSchema;

  /** Calls of the model in one run; one more fails it with `too_many_model_calls`. */
  readonly maxModelCalls: number = 10;

  /** @default the model's, else the provider's */
  readonly temperature?: number;

  /** Takes part in the thread's conversation: reads what was said before, and adds what is said now. */
  readonly remembers: boolean = false;

  // by property, so that a subclass can have a constructor of its own without passing this on
  @Inject(LlmRunner) private readonly llm!: LlmRunner;

  /** What the model is to be and do; the system prompt. */
  instructions(_input: Input): string | undefined | Promise<string | undefined> {
    return undefined;
  }

  /** What the user says. */
  abstract prompt(input: Input): string | Promise<string>;

  /** Whether to end with what the model has said last, after a turn in which it has called tools. */
  stopWhen(_progress: LlmProgress): boolean {
    return false;
  }

  /** What the run's result is. @default the output if there is a schema, else `{ text }` */
  result(answer: LlmAnswer<Output>, _input: Input): unknown {
    return this.output === undefined ? { text: answer.text } : answer.output;
  }

  async run(input: Input, run: AgentRun): Promise<unknown> {
    const answer = await this.llm.carryOut(this, input, run);
    return this.result(answer as LlmAnswer<Output>, input);
  }
}
