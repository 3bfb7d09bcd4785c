import { Injectable, type OnModuleInit } from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';
import { CarrelError, isCarrelError } from '../shared/errors.js';
import { didYouMean, nearNames } from '../shared/near-names.js';
import type { AgentDefinition } from './agent-definition.js';
import { discoverAgents, type DiscoveredAgent } from './agent-discovery.js';
import { defineAgent } from './define-agent.js';
import { checkWorker } from './worker/check-worker.js';

const MAX_NAME_CHARS = 64;

/**
 * The agents of this server: classes and how they are declared, never instances. It is complete as soon as it can be
 * injected, for Nest knows all providers before it makes the first instance, and never changes after that.
 */
@Injectable()
export class AgentRegistry implements OnModuleInit {
  readonly #byName: ReadonlyMap<string, AgentDefinition>;

  /** @throws CarrelError `invalid_agent` that names every wrongly declared class, its module and the fix */
  constructor(discovery: DiscoveryService) {
    this.#byName = new Map(
      defineAll(discoverAgents(discovery))
        .toSorted((a, b) => (a.name < b.name ? -1 : 1))
        .map((agent) => [agent.name, agent]),
    );
  }

  /** Examples are what people try first: one that the agent itself would refuse stops the boot. So does a worker without its agent. */
  async onModuleInit(): Promise<void> {
    for (const agent of this.list()) {
      if (agent.worker) await checkWorker(agent, agent.worker);
      if (agent.example === undefined) continue;
      await agent.validate(agent.example).catch((error: unknown) => {
        const reason = isCarrelError(error) ? error.message : 'its schema throws';
        throw new CarrelError('invalid_agent', `${agent.agentClass.name}: its example is no valid input. ${reason}`, {
          cause: error,
        });
      });
    }
  }

  /** @throws CarrelError `unknown_agent`, which suggests names that are like the one asked for */
  get(name: string): AgentDefinition {
    const agent = this.#byName.get(name);
    if (agent) return agent;
    const names = [...this.#byName.keys()];
    const near = nearNames(name, names);
    const asked = name.length > MAX_NAME_CHARS ? `${name.slice(0, MAX_NAME_CHARS)}…` : name;
    const hint = didYouMean(name, names) || ' GET /v1/agents lists those there are.';
    throw new CarrelError('unknown_agent', `There is no agent "${asked}".${hint}`, { details: { near } });
  }

  /** The agent of that name, if there is one: a run may be older than this server's agents. */
  find(name: string): AgentDefinition | undefined {
    return this.#byName.get(name);
  }

  /** Sorted by name. */
  list(): readonly AgentDefinition[] {
    return [...this.#byName.values()];
  }
}

function defineAll(discovered: readonly DiscoveredAgent[]): AgentDefinition[] {
  const owners = new Map<string, DiscoveredAgent>();
  const definitions: AgentDefinition[] = [];
  const problems: string[] = [];
  for (const agent of discovered) {
    const definition = defineAgent(agent);
    if (!('name' in definition)) {
      problems.push(...definition.map((problem) => `${whereabouts(agent)}: ${problem}`));
      continue;
    }
    const other = owners.get(definition.name);
    if (other) {
      problems.push(
        `${whereabouts(agent)}: its name "${definition.name}" is taken by ${whereabouts(other)}; rename one of them`,
      );
    }
    owners.set(definition.name, agent);
    definitions.push(definition);
  }
  for (const { agent, problem } of problemsOfFallbacks(definitions)) {
    problems.push(`${whereabouts(owners.get(agent)!)}: ${problem}`);
  }
  if (problems.length > 0) throw new CarrelError('invalid_agent', problems.join('\n'));
  return definitions;
}

/** A fallback may have a fallback of its own, but the way through them has to end. */
function problemsOfFallbacks(definitions: readonly AgentDefinition[]): { agent: string; problem: string }[] {
  const fallbacks = new Map(definitions.map(({ name, fallback }) => [name, fallback]));
  return definitions.flatMap(({ name: agent, fallback }) => {
    if (fallback && 'agent' in fallback && !fallbacks.has(fallback.agent)) {
      return [{ agent, problem: `its fallback "${fallback.agent}" is no agent of this server` }];
    }
    const path = [agent];
    for (let next = fallback; next && 'agent' in next; next = fallbacks.get(next.agent)) {
      const isCircle = path.includes(next.agent);
      path.push(next.agent);
      if (isCircle) return [{ agent, problem: `its fallbacks go round in a circle: ${path.join(' → ')}` }];
    }
    return [];
  });
}

function whereabouts({ agentClass, provider }: DiscoveredAgent): string {
  return `${agentClass.name || 'a class without a name'} (in ${provider.host?.metatype.name ?? 'an unknown module'})`;
}
