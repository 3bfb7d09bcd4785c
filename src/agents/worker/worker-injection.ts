import { UserExecutionContext } from '../../context/user-execution-context.js';
import type { DiscoveredAgent } from '../agent-discovery.js';

/** A worker has no DI: sentences that say what a class wants injected beside its context. */
export function problemsOfInjection({ agentClass }: Pick<DiscoveredAgent, 'agentClass'>): string[] {
  const parameters = [...((Reflect.getMetadata('design:paramtypes', agentClass) ?? []) as unknown[])];
  for (const { index, param } of injections('self:paramtypes', agentClass)) parameters[index!] = param;
  const properties = injections('self:properties_metadata', agentClass).map(({ type }) => type);
  const [first, ...others] = parameters;
  const unwanted = [...(first === UserExecutionContext ? [] : parameters.slice(0, 1)), ...others, ...properties];
  return unwanted.map(
    (token) =>
      `it wants ${textOf(token)} to be injected, but a worker can give its constructor a UserExecutionContext and nothing else; have its file import what it needs, or take away isolate: "worker"`,
  );
}

/** What `@Inject` has written, of parameters (`index`, `param`) or of properties (`type`). */
function injections(key: string, agentClass: object) {
  return (Reflect.getMetadata(key, agentClass) ?? []) as { index?: number; param?: unknown; type?: unknown }[];
}

function textOf(token: unknown): string {
  return typeof token === 'function' ? token.name : String(token);
}
