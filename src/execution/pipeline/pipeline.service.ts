import { Injectable } from '@nestjs/common';
import { AgentRegistry } from '../../agents/agent-registry.service.js';
import { CarrelError, isCarrelError } from '../../shared/errors.js';
import { frozenCopy, type JsonObject, whyNotPlainJson } from '../../shared/json.js';
import { SPEC_BOUNDS } from './pipeline-bounds.js';
import { outlineOf, type PipelinePlan, type StepOutline } from './pipeline-plan.js';
import { PipelineRegistry } from './pipeline-registry.service.js';
import type { PipelineSpec } from './pipeline-spec.js';
import { pipelineSpecSchema } from './pipeline-spec.schema.js';
import { inlineFacts, PlanCompiler } from './plan-compiler.js';
import { PlanIssues } from './plan-issues.js';

/** A pipeline for people who choose one. */
export interface PipelineSummary extends JsonObject {
  readonly name: string;
  readonly description: string;
  readonly inputSchema: JsonObject;
  readonly steps: readonly StepOutline[];
}

/** Checks pipelines and makes plans of them, whether they are this server's or came with a request. */
@Injectable()
export class PipelineService {
  constructor(
    private readonly registry: PipelineRegistry,
    private readonly agents: AgentRegistry,
  ) {}

  /**
   * The plan of a pipeline of this server, by its name, or of a whole one.
   *
   * @throws CarrelError `unknown_pipeline`; `invalid_pipeline` with everything that is wrong in `details.issues`
   */
  async resolve(pipeline: unknown): Promise<PipelinePlan> {
    return typeof pipeline === 'string' ? this.registry.get(pipeline) : this.planOf(pipeline);
  }

  /**
   * A pipeline as data, checked: what is returned may be stored, and carried out later.
   *
   * @throws CarrelError `invalid_pipeline` with everything that is wrong in `details.issues`
   */
  async checkSpec(spec: unknown): Promise<PipelineSpec> {
    await this.planOf(spec);
    return spec as PipelineSpec;
  }

  /**
   * Refuses an input before a run exists. Of a pipeline as data, it asks the steps that are given the pipeline's own
   * input and can't be skipped.
   *
   * @throws CarrelError `invalid_input`, with `details.issues`
   */
  async validate(plan: PipelinePlan, input: unknown): Promise<void> {
    await plan.validate(input);
    for (const { name, work, when, continueOnError, dependsOn } of plan.steps) {
      const isSure = !when && !continueOnError && dependsOn.length === 0;
      if (!isSure || work.kind !== 'agent' || work.input || work.fallback) continue;
      await this.agents
        .get(work.agent)
        .validate(input)
        .catch((error: unknown) => {
          if (!isCarrelError(error)) throw error;
          throw new CarrelError('invalid_input', `The step "${name}": ${error.message}`, { details: error.details });
        });
    }
  }

  /** The time limit that a pipeline of this server has for its runs, if it has one of its own. */
  deadlineMsOf(name: string): number | undefined {
    return this.registry.find(name)?.deadlineMs;
  }

  /** This server's, sorted by name. */
  list(): readonly PipelineSummary[] {
    return this.registry.list().map(summaryOf);
  }

  find(name: string): PipelineSummary | undefined {
    const plan = this.registry.find(name);
    return plan && summaryOf(plan);
  }

  private async planOf(spec: unknown): Promise<PipelinePlan> {
    const draft = readSpec(spec);
    const compiler = new PlanCompiler({
      agents: this.agents,
      pipeline: (asked) => this.registry.get(typeof asked === 'string' ? asked : asked.name),
    });
    const plan = compiler.compile(draft, inlineFacts(draft));
    for (const { path, value, validate } of compiler.constants) {
      await validate(value).catch((error: unknown) => {
        if (!isCarrelError(error)) throw error;
        compiler.issues.add(path, error.message);
      });
    }
    compiler.issues.throwIfAny();
    return plan;
  }
}

/** What is in a spec stays as it is while its plan lives. */
function readSpec(spec: unknown): PipelineSpec {
  const issues = new PlanIssues();
  const reason = whyNotPlainJson(spec, 'pipeline', SPEC_BOUNDS);
  if (reason) issues.add([], reason);
  issues.throwIfAny();
  const { error } = pipelineSpecSchema.safeParse(spec);
  for (const { path, message } of error?.issues ?? []) issues.add(path, message);
  issues.throwIfAny();
  return frozenCopy(spec as PipelineSpec);
}

function summaryOf({ name, description, inputSchema, steps }: PipelinePlan): PipelineSummary {
  return { name, description, inputSchema, steps: outlineOf(steps) };
}
