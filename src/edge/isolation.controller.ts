import { Controller, Get } from '@nestjs/common';
import type { UserExecutionContext } from '../context/user-execution-context.js';
import { CurrentContext } from './current-context.decorator.js';
import { IsolationCheck, type IsolationView } from './isolation-check.service.js';
import { ApiTags, Documented } from './openapi/api-decorators.js';

/** What the caller holds in this process. */
@ApiTags('Me')
@Controller('v1/me/isolation')
export class IsolationController {
  constructor(private readonly check: IsolationCheck) {}

  @Documented({
    summary: 'What you hold now, and whether it is yours alone',
    description: 'Of the process that answers. Each check compares what is really there, from two sides.',
    answers: { 200: { description: 'Figures, and the verdict of each check.', schema: 'Isolation' } },
  })
  @Get()
  isolation(@CurrentContext() context: UserExecutionContext): Promise<IsolationView> {
    return this.check.of(context);
  }
}
