import type { AgentClass, AgentPart } from '../../agents/agent-provider.js';

declare const RESULT: unique symbol;
declare const INPUT: unique symbol;
declare const OUTPUT: unique symbol;

/** A step of a pipeline's definition, to depend on. `Result` is what the compiler knows of its result. */
export interface StepRef<Result = unknown> {
  readonly name: string;
  readonly [RESULT]?: () => Result;
}

/** Steps to depend on, by the names under which a function is given their results. */
export type StepRefs = Readonly<Record<string, StepRef>>;

export type ResultOfRef<Ref> = Ref extends StepRef<infer Result> ? Result : never;

/** What a function of a step is given: the pipeline's input and the results of exactly what the step depends on. */
export type Given<Input, Deps extends StepRefs> = {
  readonly [Name in keyof Deps]: Frozen<ResultOfRef<Deps[Name]>>;
} & { readonly input: Frozen<Input> };

/** What was frozen, all the way down. */
export type Frozen<T> = T extends (...args: never[]) => unknown
  ? T
  : T extends readonly unknown[] | object
    ? { readonly [Key in keyof T]: Frozen<T[Key]> }
    : T;

/** A pipeline's definition, as the pipelines that use it see it: its input's type is that of the builder. */
export type PipelineClass = new () => { define(builder: never): PipelineOutput<unknown> };

/** What says of which input a builder's pipeline is. */
export interface Defines<Input> {
  readonly [INPUT]?: (input: Input) => void;
}

/** What a step can be made of; a text is the name of an agent, of which the compiler knows nothing. */
export type Target = AgentClass | PipelineClass | string;

/** What a target is to be given. */
export type InputOf<T extends Target> = T extends string
  ? unknown
  : T extends abstract new (...args: never[]) => infer Instance
    ? Instance extends { run(input: infer Input, ...rest: never[]): unknown }
      ? Input
      : Instance extends { define(builder: infer Builder): unknown }
        ? Builder extends Defines<infer Input>
          ? Input
          : never
        : never
    : never;

/** What a target gives. A generator without a result gives the text that it yielded. */
export type ResultOf<T extends Target> = T extends string
  ? unknown
  : T extends abstract new (...args: never[]) => infer Instance
    ? Instance extends { run(...args: never[]): infer Returned }
      ? Returned extends AsyncGenerator<AgentPart, infer Result>
        ? Exclude<Result, void> | (void extends Result ? { text: string } : never)
        : Awaited<Returned>
      : Instance extends { define(...args: never[]): { readonly [OUTPUT]?: () => infer Output } }
        ? Output
        : never
    : never;

/** What `define` returns: that the definition is complete, and what the pipeline gives. */
export interface PipelineOutput<Output> {
  readonly [OUTPUT]?: () => Output;
}

/** A step that may be skipped (it has a condition), or fail and be gone on without, may have no result. */
export type MayBeMissing<Result, When, Continue> = [When] extends [never]
  ? true extends Continue
    ? Result | null
    : Result
  : Result | null;
