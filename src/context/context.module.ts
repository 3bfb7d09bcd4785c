import { Global, Module, Scope } from '@nestjs/common';
import { REQUEST } from '@nestjs/core';
import { CarrelError } from '../shared/errors.js';
import { contextCarriedBy } from './context-carrier.js';
import { UserExecutionContext } from './user-execution-context.js';

/** Makes `UserExecutionContext` injectable into every request-scoped provider, whatever opened the DI sub-tree. */
@Global()
@Module({
  providers: [
    {
      provide: UserExecutionContext,
      scope: Scope.REQUEST,
      inject: [REQUEST],
      useFactory: contextOf,
    },
  ],
  exports: [UserExecutionContext],
})
export class ContextModule {}

/** In a run, Nest's request is the context itself. */
export function contextOf(request: object): UserExecutionContext {
  const context = request instanceof UserExecutionContext ? request : contextCarriedBy(request);
  if (!context) {
    throw new CarrelError(
      'unauthenticated',
      'UserExecutionContext was asked for outside an authenticated request or run',
    );
  }
  return context;
}
