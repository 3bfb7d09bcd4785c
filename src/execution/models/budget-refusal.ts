import { CarrelError } from '../../shared/errors.js';
import { amountOf, type BudgetUnit } from './budget-limits.js';
import { resetsAtMs } from './budget-periods.js';
import type { BudgetExcess, BudgetScope, Spend } from './budget-store.port.js';

const NAMES: Record<BudgetScope, string> = { run: 'of this run', day: 'of today', month: 'of this month' };

/** Why the next call is not made: which budget, how much of it is used, and when it begins anew. */
export function budgetExceeded({ scope, unit, limit, used }: BudgetExcess, estimate: Spend, atMs: number): CarrelError {
  const [of, is, needed] = [limit, used, estimate[unit]].map((amount) => amountOf(unit, amount));
  const begins = resetsAtMs(scope, atMs);
  const resetsAt = begins === undefined ? undefined : new Date(begins).toISOString();
  const text =
    `the budget ${NAMES[scope]} does not allow it: ${written(is!)} of ${written(of!)} are spent or reserved, and the next call ` +
    `of the model may take ${written(needed!)}. ${resetsAt ? `It begins anew at ${resetsAt}` : 'Another run has a budget of its own'}`;
  const details = { scope, unit: of!.unit, limit: of!.amount, used: is!.amount, needed: needed!.amount, resetsAt };
  return new CarrelError('budget_exceeded', text, { details });
}

/** A budget of money says nothing about a model whose price nobody knows. */
export function priceMissing(model: string): CarrelError {
  const text = `the model "${model}" has no price, and your budget is in money: it needs a price in models.json`;
  return new CarrelError('budget_exceeded', text, { details: { unit: 'usd', model } });
}

function written({ unit, amount }: { unit: BudgetUnit; amount: number }): string {
  return unit === 'tokens' ? `${amount.toLocaleString('en-US')} tokens` : `${amount.toFixed(amount < 1 ? 4 : 2)} USD`;
}
