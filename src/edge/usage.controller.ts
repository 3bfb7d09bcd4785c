import { Controller, Get, Inject, Query } from '@nestjs/common';
import type { UserExecutionContext } from '../context/user-execution-context.js';
import { Budgets } from '../execution/models/budgets.service.js';
import { USAGE_DAYS, USAGE_STORE, type UsageStore } from '../execution/usage-store.port.js';
import { CLOCK, type Clock } from '../shared/clock.js';
import { CHECKED } from './checked.pipe.js';
import { CurrentContext } from './current-context.decorator.js';
import { ApiTags, Documented } from './openapi/api-decorators.js';
import { toUsageView, type UsageView } from './usage-view.js';
import { daysOf, UsageQuery } from './usage.query.js';

/** What became of the caller's runs, and what is left of the caller's budgets. */
@ApiTags('Me')
@Controller('v1/me/usage')
export class UsageController {
  constructor(
    @Inject(USAGE_STORE) private readonly store: UsageStore,
    private readonly budgets: Budgets,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  @Documented({
    summary: 'What became of your runs, and what they took',
    description:
      'Runs that have ended, by the UTC day of their end: how many, how long they waited and ran, and what their agents say ' +
      `they used; in all, by agent, and by day with what models have cost. Days are counted whole, and kept for ${USAGE_DAYS} days. Deleting a thread does not ` +
      'change the figures. Runs that have not ended are in `/v1/me/limits`. `budgets` is what you may spend on language models, ' +
      'as it is now, whatever days are asked about.',
    answers: { 200: { description: 'The figures, with the days that they are about.', schema: 'UsageReport' } },
    problems: ['invalid_request'],
  })
  @Get()
  async usage(@CurrentContext() context: UserExecutionContext, @Query(CHECKED) query: UsageQuery): Promise<UsageView> {
    const days = daysOf(query, this.clock.now());
    const [byAgent, byDay, budgets] = await Promise.all([
      this.store.byAgent(context.userId, days),
      this.store.byDay(context.userId, days),
      this.budgets.standing(context),
    ]);
    return toUsageView(byAgent, byDay, days, budgets);
  }
}
