import { Logger } from '@nestjs/common';
import type { CarrelConfig } from '../../src/config/config.js';
import type { BudgetsConfig, ModelsConfig } from '../../src/config/models-config.js';
import { UserExecutionContext } from '../../src/context/user-execution-context.js';
import { Budgets, type BudgetedCall, type BudgetWarning } from '../../src/execution/models/budgets.service.js';
import { newId, type UserId } from '../../src/shared/ids.js';
import { alice, bob, HeldClock, StorageWorld, T0, upTo } from '../contracts/storage-world.js';
import { portsOf, StorageFolder } from '../storage/storage-folder.js';

const MODELS: ModelsConfig['models'] = {
  cheap: { provider: 'local', model: 'c', price: { input: 1, output: 10, cachedInput: 0.5 } },
  unpriced: { provider: 'local', model: 'u' },
};

// what was left behind is logged
beforeAll(() => Logger.overrideLogger(false));

let folder: StorageFolder;
let clock: HeldClock;
let world: StorageWorld;
beforeEach(() => {
  folder = new StorageFolder();
  clock = new HeldClock();
  world = new StorageWorld(portsOf(folder.open(clock)));
});
afterEach(() => folder.remove());

function budgetsOf(budgets: BudgetsConfig | undefined): Budgets {
  const models: ModelsConfig = { providers: {}, models: MODELS, budgets };
  return new Budgets(world.ports.budgets, { models } as CarrelConfig, clock);
}

/** The context of a new run. */
async function running(userId: UserId, roles: readonly string[] = []): Promise<UserExecutionContext> {
  const { id: runId, threadId } = await world.running(userId);
  return new UserExecutionContext({ userId, runId, threadId, roles, requestId: newId('req'), createdAtMs: T0 });
}

let calls = 0;
const call = (inputTokens: number, over: Partial<BudgetedCall> = {}): BudgetedCall => ({
  model: 'cheap',
  key: `call#${++calls}`,
  estimate: { inputTokens, outputTokens: 0 },
  ...over,
});

describe('a budget', () => {
  it('is what the most generous of the roles gives, scope by scope, or the default', async () => {
    const budgets = budgetsOf({
      default: { day: { tokens: 10 } },
      roles: {
        staff: { day: { tokens: 100, usd: 1 }, run: { tokens: 50 } },
        analyst: { day: { tokens: 70, usd: 2.5 }, month: { usd: 9 } },
      },
    });
    const limitsFor = async (roles: string[]) => {
      const standing = await budgets.standing(await running(alice, roles));
      return standing.map(({ scope, unit, limit }) => `${scope} ${limit} ${unit}`);
    };
    expect(await limitsFor([])).toEqual(['day 10 tokens']);
    expect(await limitsFor(['guest', 'toString'])).toEqual(['day 10 tokens']);
    expect(await limitsFor(['staff', 'staff'])).toEqual(['run 50 tokens', 'day 100 tokens', 'day 1 usd']);
    expect(await limitsFor(['guest', 'analyst', 'staff'])).toEqual([
      'run 50 tokens',
      'day 100 tokens',
      'day 2.5 usd',
      'month 9 usd',
    ]);
  });

  it('lets a call through that fits, and refuses the next one with all there is to know', async () => {
    const budgets = budgetsOf({ default: { day: { tokens: 1_000 }, run: { usd: 0.002 } } });
    const context = await running(alice);
    const first = await budgets.reserve(context, call(800));
    await expect(budgets.reserve(context, call(300))).rejects.toMatchObject({
      code: 'budget_exceeded',
      retryable: false,
      message:
        'the budget of today does not allow it: 800 tokens of 1,000 tokens are spent or reserved, and the next call of the ' +
        'model may take 300 tokens. It begins anew at 2026-01-16T00:00:00.000Z',
      details: {
        scope: 'day',
        unit: 'tokens',
        limit: 1_000,
        used: 800,
        needed: 300,
        resetsAt: '2026-01-16T00:00:00.000Z',
      },
    });
    await first.settle({ inputTokens: 100, outputTokens: 150, cachedInputTokens: 40 });
    // 60 x 1 + 40 x 0.5 + 150 x 10 millionths
    const expensive = call(0, { estimate: { inputTokens: 0, outputTokens: 43 } });
    await expect(budgets.reserve(context, expensive)).rejects.toMatchObject({
      message: expect.stringContaining('0.0016 USD of 0.0020 USD'),
      details: { scope: 'run', unit: 'usd', limit: 0.002, used: 0.00158, needed: 0.00043 },
    });
    expect(await budgets.standing(context)).toContainEqual({
      scope: 'day',
      unit: 'tokens',
      limit: 1_000,
      used: 250,
      reserved: 0,
      resetsAtMs: Date.UTC(2026, 0, 16),
    });
    await budgets.reserve(await running(alice), expensive);
  });

  it('holds against fifty calls at once, and lets others in when they took less than expected', async () => {
    const budgets = budgetsOf({ default: { month: { tokens: 1_000 } } });
    const contexts = [await running(alice), await running(alice)];
    const tries = () => Promise.allSettled(upTo(50).map((i) => budgets.reserve(contexts[i % 2]!, call(90))));
    const through = (await tries()).flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    expect(through).toHaveLength(11);
    await Promise.all(through.map((reservation) => reservation.settle({ inputTokens: 40, outputTokens: 0 })));
    // 440 are spent
    expect((await tries()).filter(({ status }) => status === 'fulfilled')).toHaveLength(6);
  });

  it("is alice's own: what she spends is no matter to bob", async () => {
    const budgets = budgetsOf({ default: { run: { tokens: 10 }, day: { tokens: 10 }, month: { tokens: 10 } } });
    const [hers, his] = [await running(alice), await running(bob)];
    await (await budgets.reserve(hers, call(10))).settle();
    await expect(budgets.reserve(hers, call(1))).rejects.toMatchObject({ code: 'budget_exceeded' });
    await (await budgets.reserve(his, call(10))).settle();
    expect((await budgets.standing(hers)).map(({ used }) => used)).toEqual([undefined, 10, 10]);
  });

  it.each([
    ['day', '2026-01-31T23:59:59.999Z', 1],
    ['month', '2026-01-31T23:59:59.999Z', 1],
    ['month', '2026-02-01T00:00:00.000Z', 28 * 86_400_000],
    ['day', '2028-02-28T00:00:00.000Z', 86_400_000],
  ] as const)('of a %s begins anew at midnight UTC: %s', async (scope, at, ms) => {
    const budgets = budgetsOf({ default: { [scope]: { tokens: 10 } } });
    clock.advance(Date.parse(at) - clock.now());
    const context = await running(alice);
    const open = await budgets.reserve(context, call(10));
    const [standing] = await budgets.standing(context);
    expect(standing).toMatchObject({ used: 0, reserved: 10, resetsAtMs: clock.now() + ms });
    clock.advance(ms - 1);
    await expect(budgets.reserve(context, call(1))).rejects.toMatchObject({ code: 'budget_exceeded' });
    clock.advance(1);
    expect((await budgets.standing(context))[0]).toMatchObject({ used: 0, reserved: 0 });
    await budgets.reserve(context, call(10));
    await open.settle();
    expect((await budgets.standing(context))[0]).toMatchObject({ used: 0, reserved: 10 });
  });

  it('of money refuses a model without a price', async () => {
    const budgets = budgetsOf({ default: { day: { tokens: 10 } }, roles: { payer: { day: { usd: 1 } } } });
    await budgets.reserve(await running(alice), call(10, { model: 'unpriced' }));
    const refused = budgets.reserve(await running(bob, ['payer']), call(1, { model: 'unpriced' }));
    await expect(refused).rejects.toMatchObject({
      code: 'budget_exceeded',
      message: expect.stringContaining('no price'),
    });
  });

  it('counts nothing when there is none', async () => {
    const without = budgetsOf(undefined);
    const context = await running(alice);
    await (await without.reserve(context, call(1e9))).settle();
    expect(await without.standing(context)).toEqual([]);
    expect(await world.ports.budgets.used(alice, T0)).toMatchObject({ day: { spent: { tokens: 0 } } });
    // but it does for those who have none while others have
    await (await budgetsOf({ roles: { staff: { day: { tokens: 1 } } } }).reserve(context, call(7))).settle();
    expect(await world.ports.budgets.used(alice, T0)).toMatchObject({ day: { spent: { tokens: 7 } } });
  });

  it('believes no figures that can not be', async () => {
    const budgets = budgetsOf({ default: { day: { tokens: 1e12 } } });
    const context = await running(alice);
    for (const inputTokens of [Number.NaN, -5, Infinity, 1e300, 0.5]) {
      await (await budgets.reserve(context, call(1))).settle({ inputTokens, outputTokens: 2, cachedInputTokens: 1e99 });
    }
    expect((await budgets.standing(context))[0]).toMatchObject({ used: 2 * 1e9 + 1 + 5 * 2, reserved: 0 });
  });
});

describe('the warning', () => {
  it('comes once for each scope, unit and period, when four fifths are spent', async () => {
    const budgets = budgetsOf({ default: { day: { tokens: 100 }, month: { tokens: 1_000, usd: 0.0001 } } });
    const context = await running(alice);
    const warnings: BudgetWarning[] = [];
    const onWarning = (warning: BudgetWarning) => warnings.push(warning);
    const spend = async (tokens: number) =>
      (await budgets.reserve(context, call(tokens, { onWarning }))).settle({ inputTokens: tokens, outputTokens: 0 });
    await spend(79);
    expect(warnings).toEqual([]);
    await spend(1);
    const money = { scope: 'month', unit: 'usd', used: 0.00008, limit: 0.0001 };
    expect(warnings).toEqual([{ scope: 'day', unit: 'tokens', used: 80, limit: 100 }, money]);
    await spend(19);
    clock.advance(86_400_000);
    await spend(1);
    expect(warnings).toHaveLength(2);
    clock.advance(31 * 86_400_000);
    await spend(80);
    expect(warnings.slice(2)).toEqual([{ scope: 'day', unit: 'tokens', used: 80, limit: 100 }, money]);
  });

  it('comes once also when many calls end at the same time, and none for what is only reserved', async () => {
    const budgets = budgetsOf({ default: { run: { tokens: 1_000 } } });
    const context = await running(alice);
    const warnings: BudgetWarning[] = [];
    const onWarning = (warning: BudgetWarning) => warnings.push(warning);
    const open = await Promise.all(upTo(50).map(() => budgets.reserve(context, call(20, { onWarning }))));
    expect(warnings).toEqual([]);
    await Promise.all(open.map((one) => one.settle()));
    await Promise.all(open.map((one) => one.settle()));
    expect(warnings).toEqual([{ scope: 'run', unit: 'tokens', used: 800, limit: 1_000 }]);
  });
});

describe('a call that was under way when the process died', () => {
  it('counts as spent from the next start on', async () => {
    const config: BudgetsConfig = { default: { day: { tokens: 100 } } };
    const context = await running(alice);
    const lost = await budgetsOf(config).reserve(context, call(60));
    await world.ports.close();

    clock.advance(1);
    world = new StorageWorld(portsOf(folder.open(clock)));
    const budgets = budgetsOf(config);
    await budgets.onModuleInit();
    expect((await budgets.standing(context))[0]).toMatchObject({ used: 60, reserved: 0 });
    await expect(lost.settle({ inputTokens: 0, outputTokens: 0 })).rejects.toMatchObject({ code: 'draining' });
    await expect(budgets.reserve(await running(alice), call(41))).rejects.toMatchObject({ code: 'budget_exceeded' });
  });
});
