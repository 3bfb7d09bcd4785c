import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { contextCarriedBy } from '../context/context-carrier.js';
import type { UserExecutionContext } from '../context/user-execution-context.js';
import { CarrelError } from '../shared/errors.js';

/**
 * The caller's context, for controllers that are singletons: it costs no DI sub-tree.
 *
 * @throws CarrelError `unauthenticated` where nobody was identified
 */
export const CurrentContext = createParamDecorator((_data: unknown, host: ExecutionContext): UserExecutionContext => {
  const context = contextCarriedBy(host.switchToHttp().getRequest<object>());
  if (!context) throw new CarrelError('unauthenticated');
  return context;
});
