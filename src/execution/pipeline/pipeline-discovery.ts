import type { DiscoveryService } from '@nestjs/core';
import type { AnyClass } from './pipeline-draft.js';
import { declaredPipeline } from './pipeline.decorator.js';

type Provider = ReturnType<DiscoveryService['getProviders']>[number];

/** A class decorated with `@Pipeline`, and where it is provided. Nothing is checked yet. */
export interface DiscoveredPipeline {
  readonly pipelineClass: AnyClass;
  readonly provider: Provider;
}

/** All pipelines of all modules; a class that several modules provide is here once. */
export function discoverPipelines(discovery: DiscoveryService): DiscoveredPipeline[] {
  const found = new Map<unknown, DiscoveredPipeline>();
  for (const provider of discovery.getProviders()) {
    const pipelineClass: unknown = provider.metatype;
    if (typeof pipelineClass !== 'function' || provider.isAlias) continue;
    if (declaredPipeline(pipelineClass) === undefined || found.has(pipelineClass)) continue;
    found.set(pipelineClass, { pipelineClass: pipelineClass as unknown as AnyClass, provider });
  }
  return [...found.values()];
}
