import { PROPERTY_DEPS_METADATA } from '@nestjs/common/constants.js';
import type { DiscoveredAgent } from './agent-discovery.js';
import { hasEnhancers } from './agent-enhancers.js';
import type { AgentProvider } from './agent-provider.js';

type Provider = DiscoveredAgent['provider'];

/**
 * Makes instances of an agent that injects nothing but what all users share (services of the application, or nothing at
 * all): `new` with those is what Nest's injector comes to, at a tenth of the run's cost. Whatever it injects of the
 * run's own, the context first of all, is Nest's to make.
 *
 * @returns undefined when the agent has to be resolved in a DI sub-tree; to be asked when the application is up
 */
export function makerOf(agent: DiscoveredAgent): (() => AgentProvider) | undefined {
  const { agentClass, provider } = agent;
  const shared = sharedDependenciesOf(agent);
  const isEnhanced = hasEnhancers({ targetClass: agentClass, methodName: 'run' });
  if (!shared || provider.metatype !== agentClass || provider.inject || provider.forwardRef || isEnhanced) {
    return undefined;
  }
  const AgentClass = agentClass as new (...args: unknown[]) => AgentProvider;
  return () => new AgentClass(...shared);
}

/** In the order of the constructor's parameters; undefined when there is one that is not shared, or not known. */
function sharedDependenciesOf({ agentClass, provider }: DiscoveredAgent): unknown[] | undefined {
  const listOf = (key: string) => (Reflect.getMetadata(key, agentClass) ?? []) as unknown[];
  const { length } = listOf('design:paramtypes');
  if (listOf('self:paramtypes').length > length || listOf(PROPERTY_DEPS_METADATA).length > 0) return undefined;
  // what Nest found for each parameter when the application was put together; a hole is what it did not find
  const found = Array.from(provider.getCtorMetadata() ?? []);
  return found.length === length && found.every(isShared)
    ? found.map(({ instance }) => instance as unknown)
    : undefined;
}

function isShared(wrapper: Provider | undefined): boolean {
  if (!wrapper || wrapper.isAlias || wrapper.forwardRef || wrapper.isTransient) return false;
  return wrapper.isDependencyTreeStatic();
}
