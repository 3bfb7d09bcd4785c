import type { AgentClass, FallbackOptions } from '../../agents/agent-provider.js';
import type { RetryOptions } from '../../agents/retry-options.js';
import type {
  Defines,
  Frozen,
  Given,
  InputOf,
  MayBeMissing,
  PipelineClass,
  PipelineOutput,
  ResultOf,
  ResultOfRef,
  StepRef,
  StepRefs,
  Target,
} from './pipeline-types.js';

interface CommonOptions<Known, Deps, When, Continue> {
  /** Steps that must have ended first, by the names under which the functions are given their results. */
  readonly dependsOn?: Deps;
  /** The step is skipped when this is false, and has no result; one that throws fails it. */
  readonly when?: (known: Known) => When;
  /** The pipeline goes on when the step fails, and has no result of it. @default false */
  readonly continueOnError?: Continue;
  /** Of `map` and `loop`: of each item, of each round. */
  readonly retry?: RetryOptions;
  /** Of one attempt; of `map` and `loop` likewise. */
  readonly timeoutMs?: number;
}

interface StepOptions<Known, Deps, Work extends Target, When, Continue> extends CommonOptions<
  Known,
  Deps,
  When,
  Continue
> {
  /** What it is given. Must be pure. */
  readonly input: (known: Known) => Frozen<InputOf<Work>>;
}

interface AgentStepOptions<Known, Deps, Work extends Target, When, Continue> extends StepOptions<
  Known,
  Deps,
  Work,
  When,
  Continue
> {
  /** Who or what answers when the agent has failed for good. @default the agent's own */
  readonly fallback?: FallbackOptions;
}

interface MapOptions<Known, Deps, Work extends Target, Item, When, Continue> extends CommonOptions<
  Known,
  Deps,
  When,
  Continue
> {
  /** The list. Must be pure. */
  readonly over: (known: Known) => readonly Item[];
  /** What each item's turn is given. */
  readonly input: (known: Known & { readonly item: Item; readonly index: number }) => Frozen<InputOf<Work>>;
  /** Items that are worked on at once. @default 8 */
  readonly concurrency?: number;
  readonly fallback?: FallbackOptions;
}

/** `last` is the result of the round before, null in the first. */
type Round<Known, Work extends Target> = Known & { readonly last: ResultOf<Work> | null; readonly index: number };

interface LoopOptions<Known, Deps, Work extends Target, When, Continue> extends CommonOptions<
  Known,
  Deps,
  When,
  Continue
> {
  readonly input: (known: Round<Known, Work>) => Frozen<InputOf<Work>>;
  /** Whether the round whose result is `last` was the last one. */
  readonly until: (known: Known & { readonly last: ResultOf<Work>; readonly index: number }) => boolean;
  /** Rounds at most; the last one's result counts then. */
  readonly max: number;
  readonly fallback?: FallbackOptions;
}

// oxlint-disable-next-line typescript/no-generated-empty-object-type -- no names at all is what is meant
type None = Record<never, StepRef>;

/**
 * Defines a pipeline's steps. Each has a name, which is a part of its path, sees the results of exactly what it depends
 * on, and begins as soon as that has ended.
 */
export interface PipelineBuilder<Input> extends Defines<Input> {
  /** Has an agent do something, by its class or, unchecked by the compiler, by its name. */
  agent<
    Work extends AgentClass | string,
    Deps extends StepRefs = None,
    When extends boolean = never,
    Continue extends boolean = false,
  >(
    name: string,
    agent: Work,
    options: AgentStepOptions<Given<Input, Deps>, Deps, Work, When, Continue>,
  ): StepRef<MayBeMissing<ResultOf<Work>, When, Continue>>;

  /** Has another pipeline do something. */
  pipeline<
    Work extends PipelineClass,
    Deps extends StepRefs = None,
    When extends boolean = never,
    Continue extends boolean = false,
  >(
    name: string,
    pipeline: Work,
    options: StepOptions<Given<Input, Deps>, Deps, Work, When, Continue>,
  ): StepRef<MayBeMissing<ResultOf<Work>, When, Continue>>;

  /** Once for every item of a list; the results are in its order. */
  map<
    Work extends Target,
    Item,
    Deps extends StepRefs = None,
    When extends boolean = never,
    Continue extends boolean = false,
  >(
    name: string,
    work: Work,
    options: MapOptions<Given<Input, Deps>, Deps, Work, Item, When, Continue>,
  ): StepRef<MayBeMissing<ResultOf<Work>[], When, Continue>>;

  /** Again and again, until its result is good or `max` rounds are over. */
  loop<
    Work extends Target,
    Deps extends StepRefs = None,
    When extends boolean = never,
    Continue extends boolean = false,
  >(
    name: string,
    work: Work,
    options: LoopOptions<Given<Input, Deps>, Deps, Work, When, Continue>,
  ): StepRef<MayBeMissing<ResultOf<Work>, When, Continue>>;

  /**
   * All at once, and all or nothing; the result has theirs by name. What the steps inside depend on, outside, the group
   * waits for.
   */
  parallel<Steps extends StepRefs>(
    name: string,
    steps: (inside: PipelineBuilder<Input>) => Steps,
  ): StepRef<{ [Name in keyof Steps]: ResultOfRef<Steps[Name]> }>;

  /** The first that ends well wins, and its result is the race's; the others are cancelled. */
  race<Ref extends StepRef>(
    name: string,
    steps: (inside: PipelineBuilder<Input>) => readonly Ref[],
  ): StepRef<ResultOfRef<Ref>>;

  /** What the pipeline gives: the result of a step, or what a function makes of the results of some. */
  output<Result>(step: StepRef<Result>): PipelineOutput<Result>;
  output<Deps extends StepRefs, Output>(
    steps: Deps,
    output: (known: Given<Input, Deps>) => Output,
  ): PipelineOutput<Output>;
}
