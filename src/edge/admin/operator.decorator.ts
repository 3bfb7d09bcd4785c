import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { contextCarriedBy } from '../../context/context-carrier.js';
import type { UserExecutionContext } from '../../context/user-execution-context.js';
import { CarrelError } from '../../shared/errors.js';

/** The role that a token must have for what is about the server and not about its user. */
export const OPERATOR_ROLE = 'carrel:operator';

/** What the documents say of each route. */
export const NEEDS_ROLE = `Needs the role \`${OPERATOR_ROLE}\`.`;

/**
 * The caller's context, where the caller must be an operator.
 *
 * @throws CarrelError `unauthenticated` | `forbidden`
 */
export const CurrentOperator = createParamDecorator((_data: unknown, host: ExecutionContext): UserExecutionContext => {
  const context = contextCarriedBy(host.switchToHttp().getRequest<object>());
  if (!context) throw new CarrelError('unauthenticated');
  if (!context.roles.includes(OPERATOR_ROLE))
    throw new CarrelError('forbidden', `this needs the role ${OPERATOR_ROLE}`);
  return context;
});
