import { Scope } from '@nestjs/common';
import { CarrelError } from '../shared/errors.js';
import { frozenCopy, type JsonValue } from '../shared/json.js';
import type { AgentDefinition } from './agent-definition.js';
import type { DiscoveredAgent } from './agent-discovery.js';
import { inputReader } from './agent-input.js';
import { makerOf, type AgentMaker } from './agent-maker.js';
import type { InputReader } from './input-reader.js';
import { agentOptionsSchema } from './agent-options.js';
import type { AgentClass, FallbackOptions } from './agent-provider.js';
import { problemsOfInjection } from './worker/worker-injection.js';

/** More than a person reads, and little enough for an error. */
const MAX_ISSUES = 20;
const MAX_ISSUE_CHARS = 300;
const DEFAULT_MEMORY_MB = 256;

/**
 * Checks a discovered class.
 *
 * @returns its definition, or sentences that each say what is wrong and how to put it right
 */
export function defineAgent(agent: DiscoveredAgent): AgentDefinition | readonly string[] {
  const problems = [...problemsOfClass(agent), ...problemsOfProvider(agent)];
  const { success, data: options, error } = agentOptionsSchema.safeParse(agent.options);
  if (!success)
    return [...problems, ...error.issues.map((issue) => `${issue.path.join('.') || 'its options'}: ${issue.message}`)];
  const reader = options.input === undefined ? 'is missing' : inputReader(options.input);
  if (typeof reader === 'string') {
    return [...problems, `its input ${reader}; give @Agent an "input" that says what it accepts`];
  }
  if (options.isolate) problems.push(...problemsOfInjection(agent));
  if (problems.length > 0) return problems;
  const { isolate: _, moduleUrl, memoryMb = DEFAULT_MEMORY_MB, ...rest } = options;
  return Object.freeze({
    ...rest,
    example: frozenCopy(options.example as JsonValue | undefined),
    retry: Object.freeze(options.retry),
    fallback: frozenCopy(options.fallback as FallbackOptions | undefined),
    breaker: Object.freeze(options.breaker),
    worker: moduleUrl === undefined ? undefined : Object.freeze({ moduleUrl, memoryMb }),
    effect: options.effect ?? 'once',
    agentClass: agent.agentClass as unknown as AgentClass,
    inputSchema: frozenCopy(reader.jsonSchema),
    validate: (input: unknown) => read(options.name, reader, input),
    make: onceUp(agent),
  });
}

function problemsOfClass({ agentClass }: DiscoveredAgent): string[] {
  const problems: string[] = [];
  const prototype = agentClass.prototype as { run?: unknown };
  if (typeof prototype.run !== 'function') {
    problems.push('it has no method "run"; write `async run(input, run) { … }`, as a method, not as a field');
  }
  const paramtypes = ['design:paramtypes', 'self:paramtypes'].some((key) => Reflect.hasMetadata(key, agentClass));
  if (agentClass.length > 0 && !paramtypes) {
    problems.push(
      `its constructor has ${agentClass.length} parameter(s), but nothing says what to inject; compile with emitDecoratorMetadata or use @Inject(…)`,
    );
  }
  return problems;
}

function problemsOfProvider({ agentClass, provider }: DiscoveredAgent): string[] {
  const problems: string[] = [];
  if (provider.scope !== Scope.REQUEST || provider.durable) {
    problems.push(
      'it is not request-scoped (or durable), so users would share its instance; take away the @Injectable() or scope beside @Agent, which applies the right one',
    );
  }
  if (provider.token !== agentClass) {
    problems.push(`it is provided as "${tokenText(provider.token)}"; list the class itself in the module's providers`);
  }
  return problems;
}

function tokenText(token: unknown): string {
  return typeof token === 'function' ? token.name : String(token);
}

/** Agents are defined before there is anything that they could inject. */
function onceUp(agent: DiscoveredAgent): AgentDefinition['make'] {
  let make: AgentMaker | (() => undefined) | undefined;
  return (context) => (make ??= makerOf(agent) ?? (() => undefined))(context);
}

async function read(agentName: string, reader: InputReader, input: unknown): Promise<unknown> {
  const check = await reader.check(input);
  if ('value' in check) return check.value;
  const issues = check.issues
    .slice(0, MAX_ISSUES)
    .map(({ path, message }) => ({ path: cut(path), message: cut(message) }));
  const [first] = issues;
  const more = check.issues.length > 1 ? ` (and ${check.issues.length - 1} more)` : '';
  const reason = first ? [first.path, first.message].filter(Boolean).join(': ') : 'refused';
  throw new CarrelError('invalid_input', `The input does not fit the agent "${agentName}": ${reason}${more}`, {
    details: { issues },
  });
}

function cut(text: string): string {
  return text.length > MAX_ISSUE_CHARS ? `${text.slice(0, MAX_ISSUE_CHARS)}…` : text;
}
