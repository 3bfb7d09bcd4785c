import { Injectable } from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';
import { AgentRegistry } from '../../agents/agent-registry.service.js';
import { CarrelError } from '../../shared/errors.js';
import { definePipeline, type DefinedPipeline } from './define-pipeline.js';
import { didYouMean, nearNames } from '../../shared/near-names.js';
import { type DiscoveredPipeline, discoverPipelines } from './pipeline-discovery.js';
import type { AnyClass } from './pipeline-draft.js';
import type { PipelinePlan } from './pipeline-plan.js';
import { PlanCompiler } from './plan-compiler.js';

const MAX_NAME_CHARS = 64;

/**
 * The pipelines of this server, checked and ready to be carried out. It is complete as soon as it can be injected, and
 * never changes after that.
 */
@Injectable()
export class PipelineRegistry {
  readonly #byName = new Map<string, PipelinePlan>();
  readonly #byClass = new Map<unknown, PipelinePlan>();

  /** @throws CarrelError `invalid_pipeline` that names every wrongly declared class, its module and the fix */
  constructor(
    discovery: DiscoveryService,
    private readonly agents: AgentRegistry,
  ) {
    const problems: string[] = [];
    const defined = this.define(discoverPipelines(discovery), problems);
    // a pipeline is compiled when the first one that uses it is
    for (const pipeline of defined) this.compile(pipeline, defined, [], problems);
    if (problems.length > 0) throw new CarrelError('invalid_pipeline', problems.join('\n'));
  }

  /** @throws CarrelError `unknown_pipeline`, which suggests names that are like the one asked for */
  get(name: string): PipelinePlan {
    const plan = this.#byName.get(name);
    if (plan) return plan;
    const asked = name.length > MAX_NAME_CHARS ? `${name.slice(0, MAX_NAME_CHARS)}…` : name;
    const names = [...this.#byName.keys()];
    const hint = didYouMean(name, names) || ' GET /v1/pipelines lists those there are.';
    throw new CarrelError('unknown_pipeline', `There is no pipeline "${asked}".${hint}`, {
      details: { near: nearNames(name, names) },
    });
  }

  /** The pipeline of that name, if there is one: a run may be older than this server's pipelines. */
  find(name: string): PipelinePlan | undefined {
    return this.#byName.get(name);
  }

  /** Sorted by name. */
  list(): readonly PipelinePlan[] {
    return [...this.#byName.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }

  private define(discovered: readonly DiscoveredPipeline[], problems: string[]): Located[] {
    const owners = new Map<string, string>();
    return discovered.flatMap(({ pipelineClass, provider }) => {
      const where = `${pipelineClass.name || 'a class without a name'} (in ${provider.host?.metatype.name ?? 'an unknown module'})`;
      const defined = definePipeline(pipelineClass);
      if (!('draft' in defined)) {
        problems.push(...defined.map((problem) => `${where}: ${problem}`));
        return [];
      }
      const { name } = defined.facts;
      const agent = this.agents.find(name);
      const owner = agent ? `the agent ${agent.agentClass.name}` : owners.get(name);
      if (owner) problems.push(`${where}: its name "${name}" is taken by ${owner}; rename one of them`);
      owners.set(name, where);
      return [{ ...defined, where }];
    });
  }

  private compile(
    pipeline: Located,
    all: readonly Located[],
    around: readonly Located[],
    problems: string[],
  ): PipelinePlan {
    const known = this.#byClass.get(pipeline.pipelineClass);
    if (known) return known;
    const compiler = new PlanCompiler({
      agents: this.agents,
      pipeline: (asked) => this.compile(inner(asked, all, [...around, pipeline]), all, [...around, pipeline], problems),
    });
    const plan = compiler.compile(pipeline.draft, pipeline.facts);
    problems.push(...compiler.issues.lines.map((line) => `${pipeline.where}: ${line}`));
    this.#byClass.set(pipeline.pipelineClass, plan);
    this.#byName.set(plan.name, plan);
    return plan;
  }
}

interface Located extends DefinedPipeline {
  /** The class and its module. */
  readonly where: string;
}

function inner(asked: string | AnyClass, all: readonly Located[], around: readonly Located[]): Located {
  const found = all.find(({ pipelineClass, facts }) => asked === pipelineClass || asked === facts.name);
  if (!found) {
    const name = typeof asked === 'string' ? `"${asked}"` : asked.name;
    throw new CarrelError(
      'unknown_pipeline',
      `${name} is no pipeline of this server; decorate it with @Pipeline and list it in the providers of a module`,
    );
  }
  if (around.includes(found)) {
    const names = [...around.slice(around.indexOf(found)), found].map(({ facts }) => facts.name);
    throw new CarrelError('invalid_pipeline', `the pipeline would contain itself: ${names.join(' → ')}`);
  }
  return found;
}
