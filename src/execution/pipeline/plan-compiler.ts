import type { AgentDefinition } from '../../agents/agent-definition.js';
import type { AgentRegistry } from '../../agents/agent-registry.service.js';
import { isCarrelError } from '../../shared/errors.js';
import type { JsonObject, JsonValue } from '../../shared/json.js';
import { MAX_CONTEXT_DEPTH } from '../../context/user-execution-context.js';
import { type Formula, FunctionFormula } from './formula.js';
import { ExpressionFormula } from './expression.js';
import { checkReferences, type Scope } from './expression-scope.js';
import { DEFAULT_CONCURRENCY, MAX_STEPS } from './pipeline-bounds.js';
import type { AnyClass, PipelineDraft, Slot, StepDraft, WorkDraft } from './pipeline-draft.js';
import type { PipelinePlan, PlanStep, PlanWork } from './pipeline-plan.js';
import { type Path, PlanIssues } from './plan-issues.js';
import { dependenciesOf } from './step-graph.js';

/** What a plan takes from outside: the agents and pipelines of the server. */
export interface Surroundings {
  readonly agents: AgentRegistry;
  /** @throws CarrelError `unknown_pipeline`; `invalid_pipeline` for one that would contain itself */
  pipeline(asked: string | AnyClass): PipelinePlan;
}

/** A constant input, for the agent or pipeline itself to judge. */
export interface ConstantInput {
  readonly path: Path;
  readonly value: JsonValue;
  validate(input: unknown): Promise<unknown>;
}

/** What is not in the steps themselves. */
export interface PlanFacts extends Pick<PipelinePlan, 'name' | 'description' | 'inputSchema' | 'deadlineMs'> {
  validate(input: unknown): Promise<unknown>;
}

/** Makes a plan of a draft, and gathers everything that is wrong with it. */
export class PlanCompiler {
  readonly issues = new PlanIssues();
  readonly constants: ConstantInput[] = [];

  constructor(private readonly surroundings: Surroundings) {}

  /** The plan is only of use when there are no issues afterwards. */
  compile(draft: PipelineDraft, facts: PlanFacts): PipelinePlan {
    const plan = this.plan(draft, facts, [], undefined);
    if (plan.stepCount > MAX_STEPS)
      this.issues.add(['steps'], `are ${plan.stepCount} in all, at most ${MAX_STEPS} are allowed`);
    if (plan.depth > MAX_CONTEXT_DEPTH) {
      this.issues.add(['steps'], `are nested ${plan.depth} deep, at most ${MAX_CONTEXT_DEPTH} are allowed`);
    }
    return plan;
  }

  private plan(draft: PipelineDraft, facts: PlanFacts, path: Path, inputShape: JsonValue | undefined): PipelinePlan {
    const outer: Scope = { steps: new Set(), siblings: new Set(), words: new Set(['input', 'steps']), inputShape };
    const steps = this.steps(draft.steps, [...path, 'steps'], outer);
    const all = new Set(draft.steps.map(({ name }) => name));
    const output =
      draft.output === undefined
        ? undefined
        : this.formula(draft.output, [...path, 'output'], { ...outer, steps: all, siblings: all });
    return Object.freeze({
      ...facts,
      steps,
      output,
      concurrency: draft.concurrency ?? DEFAULT_CONCURRENCY,
      stepCount: steps.reduce((sum, { work }) => sum + countOf(work), 0),
      depth: depthOf(steps),
    });
  }

  private steps(drafts: readonly StepDraft[], path: Path, outer: Scope): readonly PlanStep[] {
    const closure = dependenciesOf(drafts, path, this.issues);
    const siblings = new Set(drafts.map(({ name }) => name));
    return Object.freeze(
      drafts.map((draft, i) => {
        const sees = new Set([...outer.steps, ...(closure.get(draft.name) ?? [])]);
        return this.step(draft, [...path, i], { ...outer, steps: sees, siblings });
      }),
    );
  }

  private step(draft: StepDraft, path: Path, scope: Scope): PlanStep {
    const { name, dependsOn = [], continueOnError = false, retry, timeoutMs, fallback, when } = draft;
    if (fallback) this.checkFallback(draft, path);
    return Object.freeze({
      name,
      dependsOn: Object.freeze([...new Set(dependsOn)]),
      sees: Object.freeze([...scope.steps]),
      continueOnError,
      retry: retry && Object.freeze({ ...retry }),
      timeoutMs,
      when: when === undefined ? undefined : this.condition(when, [...path, 'when'], scope),
      work: this.work(draft, path, scope, fallback),
    });
  }

  private checkFallback({ fallback, ...draft }: StepDraft, path: Path): void {
    const leaf = draft.map?.step ?? draft.loop?.step ?? draft;
    if (leaf.agent === undefined) this.issues.add([...path, 'fallback'], 'goes with an agent only');
    if (fallback && 'agent' in fallback) this.agent(fallback.agent, [...path, 'fallback', 'agent']);
  }

  private work(draft: WorkDraft, path: Path, scope: Scope, fallback?: StepDraft['fallback']): PlanWork {
    if (draft.pipeline !== undefined) return this.pipeline(draft.pipeline, draft.input, path, scope);
    const group = (['parallel', 'race'] as const).find((kind) => draft[kind] !== undefined);
    if (group) return this.group(group, draft[group] ?? [], path, scope);
    if (draft.map) {
      const { over, concurrency = DEFAULT_CONCURRENCY, step } = draft.map;
      const inside = { ...scope, words: new Set([...scope.words, 'item', 'index']) };
      return Object.freeze({
        kind: 'map',
        over: this.formula(over, [...path, 'map', 'over'], scope),
        concurrency,
        each: this.work(step, [...path, 'map', 'step'], inside, fallback),
      });
    }
    if (draft.loop) {
      const { step, until, max } = draft.loop;
      const inside = { ...scope, words: new Set([...scope.words, 'last', 'index']) };
      return Object.freeze({
        kind: 'loop',
        each: this.work(step, [...path, 'loop', 'step'], inside, fallback),
        until: this.condition(until, [...path, 'loop', 'until'], inside),
        max,
      });
    }
    const definition = this.agent(draft.agent ?? '', [...path, 'agent']);
    const input = this.input(draft.input, [...path, 'input'], scope, definition);
    return Object.freeze({ kind: 'agent', agent: definition?.name ?? '', input, fallback });
  }

  private group(kind: 'parallel' | 'race', drafts: readonly StepDraft[], path: Path, scope: Scope): PlanWork {
    for (const [i, { dependsOn = [] }] of drafts.entries()) {
      if (dependsOn.length === 0) continue;
      this.issues.add([...path, kind, i, 'dependsOn'], `must not be there: steps of a "${kind}" begin together`);
    }
    const free = drafts.map((draft) => ({ ...draft, dependsOn: undefined }));
    return Object.freeze({ kind, steps: this.steps(free, [...path, kind], scope) });
  }

  private pipeline(
    asked: NonNullable<WorkDraft['pipeline']>,
    slot: Slot | undefined,
    path: Path,
    scope: Scope,
  ): PlanWork {
    const at = [...path, 'pipeline'];
    if (typeof asked === 'object') {
      const shape = slot === undefined ? scope.inputShape : slot instanceof FunctionFormula ? undefined : slot;
      const plan = this.plan(asked, inlineFacts(asked), at, shape);
      return Object.freeze({ kind: 'pipeline', plan, input: this.input(slot, [...path, 'input'], scope, undefined) });
    }
    try {
      const plan = this.surroundings.pipeline(asked);
      return Object.freeze({ kind: 'pipeline', plan, input: this.input(slot, [...path, 'input'], scope, plan) });
    } catch (error) {
      if (!isCarrelError(error)) throw error;
      this.issues.add(at, error.message);
      return { kind: 'parallel', steps: [] };
    }
  }

  private input(slot: Slot | undefined, path: Path, scope: Scope, target: Pick<ConstantInput, 'validate'> | undefined) {
    if (slot === undefined) return undefined;
    const formula = this.formula(slot, path, scope);
    if (target && formula instanceof ExpressionFormula && formula.isConstant) {
      this.constants.push({ path, value: formula.source, validate: (input) => target.validate(input) });
    }
    return formula;
  }

  /** Data without any logic would hold always, or never: most likely an operator is misspelt. */
  private condition(slot: Slot, path: Path, scope: Scope): Formula {
    const formula = this.formula(slot, path, scope);
    if (formula instanceof ExpressionFormula && formula.isConstant && typeof formula.source !== 'boolean') {
      this.issues.add(path, `has no operator of JSON Logic, so it is always the same: ${formula.text}`);
    }
    return formula;
  }

  private formula(slot: Slot, path: Path, scope: Scope): Formula {
    if (slot instanceof FunctionFormula) return slot;
    const formula = ExpressionFormula.read(slot);
    if (formula instanceof ExpressionFormula) {
      checkReferences(formula.references, scope, (at, message) => this.issues.add(path, message, at));
      return formula;
    }
    for (const { at, message } of formula) this.issues.add(path, message, at);
    return { text: '', explain: () => '', evaluate: () => null };
  }

  private agent(asked: NonNullable<WorkDraft['agent']>, path: Path): AgentDefinition | undefined {
    const { agents } = this.surroundings;
    if (typeof asked !== 'string') {
      const definition = agents.list().find(({ agentClass }) => agentClass === asked);
      if (!definition) {
        this.issues.add(
          path,
          `${asked.name || 'the class'} is no agent of this server; decorate it with @Agent and list it in the providers of a module`,
        );
      }
      return definition;
    }
    try {
      return agents.get(asked);
    } catch (error) {
      if (!isCarrelError(error)) throw error;
      this.issues.add(path, error.message);
      return undefined;
    }
  }
}

/** A pipeline as data says nothing of its input but what its steps do with it. */
export function inlineFacts({ name = 'inline', description = '' }: PipelineDraft): PlanFacts {
  const inputSchema: JsonObject = {};
  return { name, description, inputSchema, validate: (input) => Promise.resolve(input) };
}

function countOf(work: PlanWork): number {
  switch (work.kind) {
    case 'agent':
      return 1;
    case 'pipeline':
      return 1 + work.plan.stepCount;
    case 'parallel':
    case 'race':
      return work.steps.reduce((sum, step) => sum + countOf(step.work), 1);
    case 'map':
    case 'loop':
      return 1 + countOf(work.each);
  }
}

function depthOf(steps: readonly PlanStep[]): number {
  return Math.max(0, ...steps.map(({ work }) => workDepth(work)));
}

function workDepth(work: PlanWork): number {
  switch (work.kind) {
    case 'agent':
      return 1;
    case 'pipeline':
      return 1 + work.plan.depth;
    case 'parallel':
    case 'race':
      return 1 + depthOf(work.steps);
    case 'map':
    case 'loop':
      return 1 + workDepth(work.each);
  }
}
