import type { DiscoveryService } from '@nestjs/core';
import { z } from 'zod';
import { CarrelError } from '../../shared/errors.js';
import { declaredHook, type ExecutionHook } from './execution-hook.js';

type Provider = ReturnType<DiscoveryService['getProviders']>[number];

export interface RegisteredHook {
  readonly name: string;
  readonly hook: ExecutionHook;
}

const METHODS = ['beforeRun', 'afterRun', 'onError', 'dispose'] as const;
const optionsSchema = z.strictObject({ order: z.number().default(0) });

/**
 * All hooks of all modules, in their order; a class that several modules provide is one hook. To be called when Nest has made
 * the instances.
 *
 * @throws CarrelError `invalid_config` that names every wrongly declared class and the fix
 */
export function discoverHooks(discovery: DiscoveryService): readonly RegisteredHook[] {
  const found = new Map<unknown, RegisteredHook & { order: number }>();
  const problems: string[] = [];
  for (const provider of discovery.getProviders()) {
    const hookClass = classOf(provider);
    const declared = hookClass && declaredHook(hookClass);
    if (!hookClass || declared === undefined || found.has(hookClass)) continue;
    const hook = provider.instance as ExecutionHook;
    const options = optionsSchema.safeParse(declared);
    const problem = problemOf(provider, hook) ?? options.error?.issues.map(({ message }) => message).join('; ');
    if (problem)
      problems.push(`${hookClass.name} (in ${provider.host?.metatype.name ?? 'an unknown module'}): ${problem}`);
    else found.set(hookClass, { name: hookClass.name, hook, order: options.data?.order ?? 0 });
  }
  if (problems.length > 0) throw new CarrelError('invalid_config', problems.join('\n'));
  return [...found.values()].toSorted((a, b) => a.order - b.order || (a.name < b.name ? -1 : 1));
}

/** Also of what a factory has made. Of a class that is not static, Nest's instance is an empty one. */
function classOf(provider: Provider): { name: string } | undefined {
  const instance: unknown = provider.instance;
  return typeof instance === 'object' && instance !== null ? instance.constructor : undefined;
}

function problemOf(provider: Provider, hook: ExecutionHook): string | undefined {
  if (!provider.isDependencyTreeStatic() || provider.isTransient) {
    return 'it, or something that it injects, is not a singleton; there is one hook for all users: take what is the user’s from the context that each method is given';
  }
  if (!METHODS.some((method) => typeof hook[method] === 'function')) {
    return `it has none of the methods ${METHODS.join(', ')}`;
  }
  return undefined;
}
