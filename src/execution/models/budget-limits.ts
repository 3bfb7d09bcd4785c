import type { Allowance, BudgetsConfig } from '../../config/models-config.js';
import { BUDGET_SCOPES, type BudgetLimits, type BudgetScope, type Spend } from './budget-store.port.js';

/** As people read it: tokens, or US dollars. */
export type BudgetUnit = 'tokens' | 'usd';

const MICRO = 1_000_000;

/**
 * What somebody with these roles may spend: for each scope and unit the most that one of the roles is given, or what `default`
 * says when none of them is named.
 */
export function limitsOf(
  { default: byDefault, roles: byRole = {} }: BudgetsConfig,
  roles: readonly string[],
): BudgetLimits {
  const named = [...new Set(roles)].flatMap((role) => (Object.hasOwn(byRole, role) ? [byRole[role]!] : []));
  const budgets = named.length > 0 ? named : byDefault ? [byDefault] : [];
  const limits: Partial<Record<BudgetScope, Partial<Spend>>> = {};
  for (const scope of BUDGET_SCOPES) {
    const allowances = budgets.flatMap((budget) => budget[scope] ?? []);
    const limit = mostOf(allowances);
    if (Object.keys(limit).length > 0) limits[scope] = limit;
  }
  return limits;
}

function mostOf(allowances: readonly Allowance[]): Partial<Spend> {
  const tokens = allowances.flatMap((allowance) => allowance.tokens ?? []);
  const usd = allowances.flatMap((allowance) => allowance.usd ?? []);
  return {
    ...(tokens.length > 0 && { tokens: Math.max(...tokens) }),
    ...(usd.length > 0 && { microUsd: Math.round(Math.max(...usd) * MICRO) }),
  };
}

/** Whether money counts for anything. */
export function limitsMoney(limits: BudgetLimits): boolean {
  return BUDGET_SCOPES.some((scope) => limits[scope]?.microUsd !== undefined);
}

/** An amount as people read it. */
export function amountOf(unit: keyof Spend, amount: number): { unit: BudgetUnit; amount: number } {
  return unit === 'tokens' ? { unit, amount } : { unit: 'usd', amount: amount / MICRO };
}
