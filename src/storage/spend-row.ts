import type { BudgetExcess, BudgetLimits, BudgetScope, Spend } from '../execution/models/budget-store.port.js';

export interface SumRow {
  tokens: number;
  micro_usd: number;
}

export const NO_SUM: SumRow = { tokens: 0, micro_usd: 0 };

export function excessOf(
  scope: BudgetScope,
  limits: BudgetLimits,
  used: Spend,
  estimate: Spend,
): BudgetExcess | undefined {
  for (const unit of ['tokens', 'microUsd'] as const) {
    const limit = limits[scope]?.[unit];
    if (limit !== undefined && used[unit] + estimate[unit] > limit) return { scope, unit, limit, used: used[unit] };
  }
  return undefined;
}

export function sum(a: SumRow, b: SumRow): Spend {
  return { tokens: a.tokens + b.tokens, microUsd: a.micro_usd + b.micro_usd };
}

export function spendFromRow({ tokens, micro_usd }: SumRow): Spend {
  return { tokens, microUsd: micro_usd };
}
