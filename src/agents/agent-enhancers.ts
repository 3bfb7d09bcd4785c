import type { ContextId, DiscoveryService, ModulesContainer } from '@nestjs/core';
import { ExecutionContextHost } from '@nestjs/core/helpers/execution-context-host.js';
import { ExternalExceptionFilterContext } from '@nestjs/core/exceptions/external-exception-filter-context.js';
import { GuardsConsumer, GuardsContextCreator } from '@nestjs/core/guards/index.js';
import { InterceptorsConsumer, InterceptorsContextCreator } from '@nestjs/core/interceptors/index.js';
import { PipesConsumer, PipesContextCreator } from '@nestjs/core/pipes/index.js';
import { isObservable, lastValueFrom } from 'rxjs';
import { CarrelError, type ErrorCode } from '../shared/errors.js';
import { AGENT_CONTEXT_TYPE } from './agent-execution-context.js';

type NestContainer = ConstructorParameters<typeof GuardsContextCreator>[0];
type NestCallback = Parameters<GuardsContextCreator['create']>[1];
type FilteredCallback = Parameters<ExternalExceptionFilterContext['create']>[1];

/** A method that is called for a run: an agent's `run`, or a tool's. */
export interface EnhancedMethod {
  readonly targetClass: new (...args: never[]) => unknown;
  readonly methodName: string;
  /** Where Nest takes the instances from. */
  readonly provider: ReturnType<DiscoveryService['getProviders']>[number];
  /** What a guard's no is called. */
  readonly denied: Extract<ErrorCode, 'agent_denied' | 'tool_denied'>;
}

/** What Nest applies a chain of enhancers to. */
export interface AgentHandler {
  instance: object;
  method: NestCallback;
  call: (input: unknown) => Promise<unknown>;
}

/** What Nest's creators need to know to find the instances: agent, method, module, DI sub-tree, inquirer. */
type Where = [AgentHandler['instance'], NestCallback, string, ContextId, string];

/** As `@UseGuards` and its like write them; the same words that Nest's own scanner looks for. */
const ENHANCER_METADATA = ['__guards__', '__interceptors__', '__pipes__', '__exceptionFilters__'];

/** Whether anything was declared on the method, or on its class. */
export function hasEnhancers({ targetClass, methodName }: EnhancedMethod): boolean {
  const method = (targetClass.prototype as Record<string, object>)[methodName]!;
  return ENHANCER_METADATA.some((key) => Reflect.hasMetadata(key, targetClass) || Reflect.hasMetadata(key, method));
}

/**
 * Calls agents and tools through their guards, interceptors, pipes and filters. Only what is declared on them applies: an
 * application's global enhancers (`APP_GUARD`, `useGlobalPipes`, …) were written for requests. That, and that a filter must
 * see what a guard throws, is why Nest's parts are put together here and not by its `ExternalContextCreator`.
 */
export class AgentEnhancers {
  private readonly guardsConsumer = new GuardsConsumer();
  private readonly interceptorsConsumer = new InterceptorsConsumer();
  private readonly pipesConsumer = new PipesConsumer();
  private readonly guards: GuardsContextCreator;
  private readonly interceptors: InterceptorsContextCreator;
  private readonly pipes: PipesContextCreator;
  private readonly filters: ExternalExceptionFilterContext;

  constructor(modules: ModulesContainer) {
    // the creators ask the container for its modules and nothing else; without a second argument they know no global enhancers
    const container = { getModules: () => modules } as unknown as NestContainer;
    this.guards = new GuardsContextCreator(container);
    this.interceptors = new InterceptorsContextCreator(container);
    this.pipes = new PipesContextCreator(container);
    this.filters = new ExternalExceptionFilterContext(container);
  }

  /**
   * @param args what the enhancers are shown, the input first
   * @throws CarrelError `agent_denied` | `tool_denied` when a guard says no; whatever is thrown otherwise and no filter turns
   *   into a result
   */
  async call(
    target: EnhancedMethod,
    contextId: ContextId,
    args: [input: unknown, handle: object],
    handler: AgentHandler,
  ): Promise<unknown> {
    const where: Where = [
      handler.instance,
      handler.method,
      target.provider.host?.token ?? '',
      contextId,
      target.provider.id,
    ];
    let guarding = true;
    try {
      await this.guard(args, where, target.denied);
      guarding = false;
      return await this.intercept(args, where, async () =>
        handler.call(await this.piped(target, args[0], this.pipes.create(...where))),
      );
    } catch (error) {
      const answer = this.filter(error, args, where);
      if (answer === undefined) throw guarding ? asDenial(error, target.denied) : error;
      return settled(answer);
    }
  }

  private async guard(args: unknown[], where: Where, denied: EnhancedMethod['denied']): Promise<void> {
    const guards = this.guards.create(...where);
    const allowed = await this.guardsConsumer.tryActivate(guards, args, where[0], where[1], AGENT_CONTEXT_TYPE);
    if (!allowed) throw new CarrelError(denied);
  }

  private async intercept(args: unknown[], where: Where, next: () => Promise<unknown>): Promise<unknown> {
    const interceptors = this.interceptors.create(...where);
    return settled(
      await this.interceptorsConsumer.intercept(interceptors, args, where[0], where[1], next, AGENT_CONTEXT_TYPE),
    );
  }

  private async piped(
    { targetClass, methodName }: EnhancedMethod,
    input: unknown,
    pipes: ReturnType<PipesContextCreator['create']>,
  ): Promise<unknown> {
    if (pipes.length === 0) return input;
    const [metatype] = (Reflect.getMetadata('design:paramtypes', targetClass.prototype as object, methodName) ??
      []) as [undefined];
    return this.pipesConsumer.applyPipes(input, { type: 'body', metatype, data: undefined }, pipes);
  }

  private filter(error: unknown, args: unknown[], where: Where): unknown {
    const host = new ExecutionContextHost(args);
    host.setType(AGENT_CONTEXT_TYPE);
    // not next(): it would also log, with whatever the error says, what the engine logs with the run's ids
    const [instance, method, ...rest] = where;
    return this.filters.create(instance, method as FilteredCallback, ...rest).invokeCustomFilters(error, host);
  }
}

/** Guards may also say no by throwing one of Nest's exceptions for it; those are written for the one who is refused. */
function asDenial(error: unknown, denied: EnhancedMethod['denied']): unknown {
  if (!(error instanceof Error) || !('getStatus' in error) || typeof error.getStatus !== 'function') return error;
  const status: unknown = error.getStatus();
  return status === 401 || status === 403 ? new CarrelError(denied, error.message, { cause: error }) : error;
}

async function settled(result: unknown): Promise<unknown> {
  const value = await result;
  return isObservable(value) ? lastValueFrom(value, { defaultValue: undefined }) : value;
}
