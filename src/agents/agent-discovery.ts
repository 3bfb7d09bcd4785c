import type { DiscoveryService } from '@nestjs/core';
import { declaredOptions } from './agent.decorator.js';

type Provider = ReturnType<DiscoveryService['getProviders']>[number];

/** A class decorated with `@Agent`, and the provider that Nest takes its instances from. Nothing is checked yet. */
export interface DiscoveredAgent {
  agentClass: new (...args: never[]) => unknown;
  options: unknown;
  provider: Provider;
}

/**
 * All agents of all modules. A class that several modules provide is here once, with the provider of the last one: that is
 * where `ModuleRef.resolve(…, { strict: false })` takes it from.
 */
export function discoverAgents(discovery: DiscoveryService): DiscoveredAgent[] {
  const found = new Map<unknown, DiscoveredAgent>();
  for (const provider of discovery.getProviders()) {
    const agentClass: unknown = provider.metatype;
    if (typeof agentClass !== 'function' || provider.isAlias) continue;
    const options = declaredOptions(agentClass);
    if (options === undefined) continue;
    const isItself = provider.token === agentClass;
    if (isItself || !found.has(agentClass)) {
      found.set(agentClass, { agentClass: agentClass as DiscoveredAgent['agentClass'], options, provider });
    }
  }
  return [...found.values()];
}
