import { Inject, Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import { CARREL_CONFIG, type CarrelConfig } from '../../config/config.js';
import type { UserExecutionContext } from '../../context/user-execution-context.js';
import type { RunEventData } from '../../events/run-event.js';
import { CLOCK, type Clock } from '../../shared/clock.js';
import { CarrelError } from '../../shared/errors.js';
import { costOf, type ModelUsage } from './budget-cost.js';
import { amountOf, limitsMoney, limitsOf, type BudgetUnit } from './budget-limits.js';
import { resetsAtMs } from './budget-periods.js';
import { budgetExceeded, priceMissing } from './budget-refusal.js';
import {
  BUDGET_SCOPES,
  BUDGET_STORE,
  type BudgetLimits,
  type BudgetScope,
  type BudgetStore,
  type Spend,
} from './budget-store.port.js';

export type BudgetWarning = RunEventData['budget_warning'];

/** A call of a model that is about to be made. */
export interface BudgetedCall {
  /** The model's name in `models.json`. */
  readonly model: string;
  /** The same whenever this very call is asked for again: the path of its step, and its try. */
  readonly key: string;
  /** The most that it is expected to take. */
  readonly estimate: ModelUsage;
  /** Told when four fifths of a budget are spent: once for each scope, unit and period. */
  readonly onWarning?: (warning: BudgetWarning) => void;
}

/** A part of the budget that is set aside for a call. It must be settled, whatever becomes of the call. */
export interface Reservation {
  /**
   * The call has ended. Does nothing the second time.
   *
   * @param usage what it took: zeros when the provider has refused it, nothing when nobody knows (then it counts as estimated)
   */
  settle(usage?: ModelUsage): Promise<void>;
}

/** One limit and what is used of it; a run's own use is the run's. */
export interface BudgetStanding {
  readonly scope: BudgetScope;
  readonly unit: BudgetUnit;
  readonly limit: number;
  readonly used?: number;
  readonly reserved?: number;
  /** Milliseconds since the Unix epoch. */
  readonly resetsAtMs?: number;
}

const WARN_AT = 0.8;
const UNBOUNDED: Reservation = { settle: async () => undefined };

/** Sets budget aside before every call of a model, and counts afterwards what it took. Without budgets nothing is counted. */
@Injectable()
export class Budgets implements OnModuleInit {
  private readonly logger = new Logger(Budgets.name);

  constructor(
    @Inject(BUDGET_STORE) private readonly store: BudgetStore,
    @Inject(CARREL_CONFIG) private readonly config: CarrelConfig,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** Before any run goes on: what an earlier process has reserved and never settled counts as spent. */
  async onModuleInit(): Promise<void> {
    const calls = await this.store.settleAbandoned(this.clock.now());
    if (calls > 0)
      this.logger.warn({ calls }, 'calls of models that were under way when the server ended count as spent');
  }

  /**
   * Sets aside what a call may take.
   *
   * @throws CarrelError `budget_exceeded` when that could be more than is left, `run_closed` when the run is not under way
   */
  async reserve(context: UserExecutionContext, call: BudgetedCall): Promise<Reservation> {
    const { models } = this.config;
    if (!models?.budgets) return UNBOUNDED;
    const { userId, runId, roles } = context;
    if (!runId) throw new CarrelError('internal', 'models are called by runs only');
    const limits = limitsOf(models.budgets, roles);
    const price = models.models[call.model]?.price;
    if (!price && limitsMoney(limits)) throw priceMissing(call.model);
    const estimate = costOf(call.estimate, price);
    const atMs = this.clock.now();
    const excess = await this.store.reserve(userId, { key: call.key, runId, estimate, limits, atMs });
    if (excess) throw budgetExceeded(excess, estimate, atMs);
    return {
      settle: async (usage) => {
        const cost = usage && costOf(usage, price);
        const spent = await this.store.settle(userId, runId, call.key, cost);
        if (spent) warn(limits, spent, cost ?? estimate, call.onWarning);
      },
    };
  }

  /** What the caller may spend, and what is used of it. */
  async standing({ userId, roles }: UserExecutionContext): Promise<readonly BudgetStanding[]> {
    const { models } = this.config;
    const limits = models?.budgets ? limitsOf(models.budgets, roles) : {};
    if (Object.keys(limits).length === 0) return [];
    const nowMs = this.clock.now();
    const used = await this.store.used(userId, nowMs);
    return limitsIn(limits).map(({ scope, unit, limit }) => {
      const standing = { scope, unit: amountOf(unit, limit).unit, limit: amountOf(unit, limit).amount };
      if (scope === 'run') return standing;
      const { spent, reserved } = used[scope];
      return {
        ...standing,
        used: amountOf(unit, spent[unit]).amount,
        reserved: amountOf(unit, reserved[unit]).amount,
        resetsAtMs: resetsAtMs(scope, nowMs),
      };
    });
  }
}

/** What is spent only ever grows, so that it passes four fifths of a limit once. */
function warn(
  limits: BudgetLimits,
  spent: Readonly<Record<BudgetScope, Spend>>,
  cost: Spend,
  onWarning: BudgetedCall['onWarning'],
): void {
  if (!onWarning) return;
  for (const { scope, unit, limit } of limitsIn(limits)) {
    const now = spent[scope][unit];
    const before = now - cost[unit];
    if (before >= limit * WARN_AT || now < limit * WARN_AT) continue;
    const used = amountOf(unit, now);
    onWarning({ scope, unit: used.unit, used: used.amount, limit: amountOf(unit, limit).amount });
  }
}

function limitsIn(limits: BudgetLimits): { scope: BudgetScope; unit: keyof Spend; limit: number }[] {
  return BUDGET_SCOPES.flatMap((scope) =>
    (['tokens', 'microUsd'] as const).flatMap((unit) => {
      const limit = limits[scope]?.[unit];
      return limit === undefined ? [] : [{ scope, unit, limit }];
    }),
  );
}
