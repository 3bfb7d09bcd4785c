import { type DiscoveryService, MetadataScanner } from '@nestjs/core';
import type { EnhancedMethod } from '../agent-enhancers.js';
import { declaredTool } from './agent-tool.decorator.js';

type ToolClass = EnhancedMethod['targetClass'];

/** A method decorated with `@AgentTool`, and the provider of its class. Nothing is checked yet. */
export interface DiscoveredTool extends EnhancedMethod {
  readonly options: unknown;
}

/**
 * All tools of all modules. A class that several modules provide is here once, with the provider of the last one that
 * provides it as itself. To be called when Nest has made the instances, for what a factory has made is found by them.
 */
export function discoverTools(discovery: DiscoveryService): DiscoveredTool[] {
  const scanner = new MetadataScanner();
  const found = new Map<ToolClass, DiscoveredTool[]>();
  for (const provider of discovery.getProviders()) {
    const targetClass = provider.isAlias ? undefined : classOf(provider);
    if (!targetClass || (found.has(targetClass) && provider.token !== targetClass)) continue;
    const prototype = targetClass.prototype as object;
    const tools = scanner.getAllMethodNames(prototype).flatMap((methodName): DiscoveredTool[] => {
      const options = declaredTool(prototype, methodName);
      return options === undefined ? [] : [{ targetClass, methodName, provider, options, denied: 'tool_denied' }];
    });
    if (tools.length > 0) found.set(targetClass, tools);
  }
  return [...found.values()].flat();
}

function classOf(provider: DiscoveredTool['provider']): ToolClass | undefined {
  if (!provider.isNotMetatype) return provider.metatype as ToolClass;
  const instance: unknown = provider.instance;
  return typeof instance === 'object' && instance !== null && instance.constructor !== Object
    ? (instance.constructor as ToolClass)
    : undefined;
}
