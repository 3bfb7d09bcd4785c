import type { AgentClass } from '../../agents/agent-provider.js';
import { type Known, FunctionFormula } from './formula.js';
import type { AnyClass, StepDraft, WorkDraft } from './pipeline-draft.js';
import type { StepRef, StepRefs, Target } from './pipeline-types.js';

/** A function of a pipeline's definition, whatever it is given; the builder's interface has the types. */
type PureFunction = (known: object) => unknown;

/** What the builder's options come down to. */
interface LooseOptions extends Pick<StepDraft, 'continueOnError' | 'retry' | 'timeoutMs' | 'fallback'> {
  dependsOn?: StepRefs;
  when?: PureFunction;
  input?: PureFunction;
  over?: PureFunction;
  until?: PureFunction;
  concurrency?: number;
  max?: number;
}

const OPTIONS: ReadonlySet<string> = new Set([
  'dependsOn',
  'when',
  'continueOnError',
  'retry',
  'timeoutMs',
  'fallback',
  'input',
  'over',
  'until',
  'concurrency',
  'max',
] satisfies (keyof LooseOptions)[]);

/** Gathers what a pipeline's class defines. Its face to the class is `PipelineBuilder`. */
export class DraftBuilder {
  readonly steps: StepDraft[] = [];
  readonly problems: string[] = [];
  readonly #refs: Set<StepRef>;
  outputFormula: FunctionFormula | undefined;
  isComplete = false;

  /** @param around what the steps inside of a group may depend on */
  constructor(
    private readonly isPipeline: (candidate: AnyClass) => boolean,
    private readonly around?: DraftBuilder,
  ) {
    this.#refs = new Set();
  }

  agent(name: string, agent: AgentClass | string, options: LooseOptions): StepRef {
    return this.add(name, { agent, input: formulaOf(options.input, options.dependsOn) }, options);
  }

  pipeline(name: string, pipeline: AnyClass, options: LooseOptions): StepRef {
    return this.add(name, { pipeline, input: formulaOf(options.input, options.dependsOn) }, options);
  }

  map(name: string, work: Target, options: LooseOptions): StepRef {
    const { dependsOn, over, concurrency } = options;
    const step = this.target(work, options);
    return this.add(name, { map: { over: formulaOf(over, dependsOn)!, concurrency, step } }, options);
  }

  loop(name: string, work: Target, options: LooseOptions): StepRef {
    const { dependsOn, until, max = 0 } = options;
    const step = this.target(work, options);
    return this.add(name, { loop: { step, until: formulaOf(until, dependsOn)!, max } }, options);
  }

  parallel(name: string, define: (inside: DraftBuilder) => StepRefs): StepRef {
    const inside = new DraftBuilder(this.isPipeline, this);
    for (const [key, ref] of Object.entries(define(inside))) {
      if (ref.name !== key)
        this.problems.push(`${name}: the step "${ref.name}" must be returned as "${ref.name}", not as "${key}"`);
    }
    return this.addGroup(name, 'parallel', inside);
  }

  race(name: string, define: (inside: DraftBuilder) => readonly StepRef[]): StepRef {
    const inside = new DraftBuilder(this.isPipeline, this);
    define(inside);
    return this.addGroup(name, 'race', inside);
  }

  output(of: StepRef | StepRefs, make?: PureFunction): object {
    if (this.isComplete) this.problems.push('output: it is said twice; a pipeline gives one thing');
    this.isComplete = true;
    const refs = make ? (of as StepRefs) : { result: of as StepRef };
    for (const ref of Object.values(refs))
      if (!this.#refs.has(ref)) this.problems.push(`output: the step "${ref.name}" is none of this pipeline`);
    const compute: PureFunction = make ?? ((known) => (known as { result: unknown }).result);
    this.outputFormula = formulaOf(compute, refs);
    return {};
  }

  private add(name: string, work: WorkDraft, options: LooseOptions): StepRef {
    const { dependsOn = {}, when, continueOnError, retry, timeoutMs, fallback } = options;
    for (const option of Object.keys(options).filter((key) => !OPTIONS.has(key))) {
      this.problems.push(`${name}: there is no option "${option}"`);
    }
    for (const ref of Object.values(dependsOn)) {
      if (!this.knows(ref))
        this.problems.push(`${name}: it depends on "${ref.name}", a step that is not beside it in this pipeline`);
    }
    if ('input' in dependsOn)
      this.problems.push(`${name}: "input" is the pipeline's; give the step it depends on another name`);
    this.steps.push({
      ...work,
      name,
      dependsOn: Object.values(dependsOn).map((ref) => ref.name),
      when: formulaOf(when, dependsOn),
      continueOnError,
      retry,
      timeoutMs,
      fallback,
    });
    return this.ref(name);
  }

  /** The group waits for what the steps inside of it depend on. */
  private addGroup(name: string, kind: 'parallel' | 'race', inside: DraftBuilder): StepRef {
    this.problems.push(...inside.problems.map((problem) => `${name}/${problem}`));
    const outside = inside.steps.flatMap(({ dependsOn = [] }) => dependsOn);
    const steps = inside.steps.map((step) => ({ ...step, dependsOn: [] }));
    this.steps.push({ name, [kind]: steps, dependsOn: [...new Set(outside)] });
    return this.ref(name);
  }

  private ref(name: string): StepRef {
    const ref = Object.freeze({ name });
    this.#refs.add(ref);
    return ref;
  }

  /** Steps of a group depend on what is around the group, never on each other. */
  private knows(ref: StepRef): boolean {
    return this.around ? this.around.knows(ref) : this.#refs.has(ref);
  }

  private target(work: Target, { input, dependsOn }: LooseOptions): WorkDraft {
    const formula = formulaOf(input, dependsOn);
    return typeof work !== 'string' && this.isPipeline(work)
      ? { pipeline: work, input: formula }
      : { agent: work as AgentClass | string, input: formula };
  }
}

/** The function is given results by the names that the definition gave to the steps. */
function formulaOf(compute: PureFunction | undefined, refs: StepRefs = {}): FunctionFormula | undefined {
  if (compute === undefined) return undefined;
  const names = Object.entries(refs).map(([as, { name }]) => [as, name] as const);
  return new FunctionFormula(
    ({ input, steps, item, index, last }: Known) =>
      compute({
        ...Object.fromEntries(names.map(([as, name]) => [as, steps[name] ?? null])),
        input,
        ...(item !== undefined && { item }),
        ...(index !== undefined && { index }),
        ...(last !== undefined && { last }),
      }),
    compute,
  );
}
