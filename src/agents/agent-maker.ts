import { PROPERTY_DEPS_METADATA } from '@nestjs/common/constants.js';
import { contextOf } from '../context/context.module.js';
import type { UserExecutionContext } from '../context/user-execution-context.js';
import type { DiscoveredAgent } from './agent-discovery.js';
import { hasEnhancers } from './agent-enhancers.js';
import type { AgentProvider } from './agent-provider.js';

type Provider = DiscoveredAgent['provider'];

/** Makes an instance for a run, or for a step of it, that has this context. */
export type AgentMaker = (context: UserExecutionContext) => AgentProvider;

/** What a parameter of a constructor gets. */
type Dependency = (context: UserExecutionContext) => unknown;

/**
 * Makes instances of an agent that injects nothing but its context and what all users share (services of the application):
 * `new` with those is what Nest's injector comes to, at a tenth of the run's cost. What else it injects of the run's own is
 * Nest's to make: whoever injects it in the same run must get the same.
 *
 * @returns undefined when the agent has to be resolved in a DI sub-tree; to be asked when the application is up
 */
export function makerOf(agent: DiscoveredAgent): AgentMaker | undefined {
  const { agentClass, provider } = agent;
  const dependencies = dependenciesOf(agent);
  const isEnhanced = hasEnhancers({ targetClass: agentClass, methodName: 'run' });
  if (!dependencies || provider.metatype !== agentClass || provider.inject || provider.forwardRef || isEnhanced) {
    return undefined;
  }
  const AgentClass = agentClass as new (...args: unknown[]) => AgentProvider;
  return (context) => new AgentClass(...dependencies.map((of) => of(context)));
}

/** In the order of the constructor's parameters; undefined when there is one of the run's own, or one that is not known. */
function dependenciesOf({ agentClass, provider }: DiscoveredAgent): Dependency[] | undefined {
  const listOf = (key: string) => (Reflect.getMetadata(key, agentClass) ?? []) as unknown[];
  const { length } = listOf('design:paramtypes');
  if (listOf('self:paramtypes').length > length || listOf(PROPERTY_DEPS_METADATA).length > 0) return undefined;
  // what Nest found for each parameter when the application was put together; a hole is what it did not find
  const found = Array.from(provider.getCtorMetadata() ?? []);
  const known = found.flatMap((wrapper) => dependencyOf(wrapper) ?? []);
  return known.length === length ? known : undefined;
}

function dependencyOf(wrapper: Provider | undefined): Dependency | undefined {
  if (!wrapper || wrapper.isAlias) return undefined;
  // nobody has provided another one in its place
  if (wrapper.metatype === contextOf) return (context) => context;
  if (!isShared(wrapper)) return undefined;
  const instance: unknown = wrapper.instance;
  return () => instance;
}

function isShared(wrapper: Provider): boolean {
  return !wrapper.forwardRef && !wrapper.isTransient && wrapper.isDependencyTreeStatic();
}
