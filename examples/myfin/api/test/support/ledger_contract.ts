import { describe, expect, test } from 'vitest';
import type { Ledger, NewTransaction } from '../../src/ledger.ts';

/** What every ledger promises; the real one and the fake of the unit tests are held to it. */
export function ledgerContract(name: string, emptyLedger: () => Promise<Ledger>): void {
  describe(`${name} keeps a ledger's promises`, () => {
    test('a new account has a number and no money', async () => {
      const ledger = await emptyLedger();
      const added = await ledger.addAccount(everyday);
      expect(added).toEqual({ id: expect.any(Number), ...everyday, balance_cents: 0 });
      expect(await ledger.accounts()).toEqual([added]);
    });

    test('an account name is taken once', async () => {
      const ledger = await emptyLedger();
      await ledger.addAccount(everyday);
      await expect(ledger.addAccount(everyday)).rejects.toMatchObject({ status: 409 });
    });

    test('a balance is the sum of the transactions of its own account', async () => {
      const { ledger, account } = await withAccount(emptyLedger);
      const other = await ledger.addAccount({ ...everyday, name: 'Other' });
      await ledger.addTransaction(spend(account, { amount_cents: 10_000 }));
      await ledger.addTransaction(spend(account, { amount_cents: -2_501 }));
      await ledger.addTransaction(spend(other.id, { amount_cents: -1 }));
      expect((await ledger.accounts()).map((a) => a.balance_cents)).toEqual([7_499, -1]);
    });

    test('large amounts stay exact', async () => {
      const { ledger, account } = await withAccount(emptyLedger);
      await ledger.addTransaction(spend(account, { amount_cents: 1_000_000_000_000 }));
      await ledger.addTransaction(spend(account, { amount_cents: 999_999_999_999 }));
      expect((await ledger.accounts())[0]?.balance_cents).toBe(1_999_999_999_999);
    });

    test('a transaction needs an account that exists', async () => {
      const ledger = await emptyLedger();
      await expect(ledger.addTransaction(spend(77))).rejects.toMatchObject({ status: 404 });
      const search = { account: 77, limit: 10 };
      await expect(ledger.transactions(search)).rejects.toMatchObject({ status: 404 });
    });

    test('transactions come newest first, by account, month and position', async () => {
      const { ledger, account } = await withAccount(emptyLedger);
      const other = await ledger.addAccount({ ...everyday, name: 'Other' });
      const days = ['2026-10-31', '2026-11-01', '2026-11-30', '2026-11-30', '2026-12-01'];
      for (const [index, date] of days.entries()) {
        await ledger.addTransaction(spend(account, { date, description: String(index) }));
      }
      await ledger.addTransaction(spend(other.id, { date: '2026-11-15', description: 'other' }));
      const search = { account, month: '2026-11', limit: 2 };
      const [first, second] = await ledger.transactions(search);
      expect([first?.description, second?.description]).toEqual(['3', '2']);
      const rest = await ledger.transactions({ ...search, ...(second && { after: second }) });
      expect(rest.map((entry) => entry.description)).toEqual(['1']);
      expect(rest[0]).toMatchObject({ account_id: account, date: '2026-11-01' });
      expect(await ledger.transactions({ limit: 10 })).toHaveLength(6);
    });

    test('a budget knows what was spent in its month, category and currency', async () => {
      const { ledger, account } = await withAccount(emptyLedger);
      const dollars = await ledger.addAccount({ ...everyday, name: 'Dollars', currency: 'USD' });
      const budget = { category: 'Groceries', month: '2026-11', limit_cents: 30_000 };
      await ledger.addTransaction(spend(account, { amount_cents: -1_200 }));
      await ledger.addTransaction(spend(account, { amount_cents: 200 }));
      await ledger.addTransaction(spend(account, { amount_cents: -9, date: '2026-12-01' }));
      await ledger.addTransaction(spend(account, { amount_cents: -9, category: 'Leisure' }));
      await ledger.addTransaction(spend(dollars.id, { amount_cents: -9 }));
      expect(await ledger.setBudget(budget, 'EUR')).toEqual({ ...budget, spent_cents: 1_200 });
      expect(await ledger.budgets('2026-11', 'EUR')).toEqual([{ ...budget, spent_cents: 1_200 }]);
      expect(await ledger.budgets('2026-12', 'EUR')).toEqual([]);
    });

    test('setting a budget again replaces its limit, also with the same one', async () => {
      const ledger = await emptyLedger();
      const budget = { category: 'Leisure', month: '2026-11', limit_cents: 1_000 };
      await ledger.setBudget(budget, 'EUR');
      await ledger.setBudget({ ...budget, limit_cents: 2_000 }, 'EUR');
      await ledger.setBudget({ ...budget, limit_cents: 2_000 }, 'EUR');
      const stored = await ledger.budgets('2026-11', 'EUR');
      expect(stored).toEqual([{ ...budget, limit_cents: 2_000, spent_cents: 0 }]);
    });

    test('totals leave out transfers, other currencies and other months', async () => {
      const { ledger, account } = await withAccount(emptyLedger);
      const dollars = await ledger.addAccount({ ...everyday, name: 'Dollars', currency: 'USD' });
      const salary = { amount_cents: 250_000, category: 'Salary' };
      await ledger.addTransaction(spend(account, { ...salary, date: '2026-10-01' }));
      await ledger.addTransaction(spend(account, { amount_cents: -700, date: '2026-10-31' }));
      await ledger.addTransaction(spend(account, { amount_cents: -50, date: '2026-11-30' }));
      await ledger.addTransaction(spend(account, { category: 'Transfer' }));
      await ledger.addTransaction(spend(account, { date: '2026-12-01' }));
      await ledger.addTransaction(spend(dollars.id));
      expect(await ledger.totals('2026-09', '2026-11', 'EUR')).toEqual([
        { month: '2026-10', income_cents: 250_000, expenses_cents: 700 },
        { month: '2026-11', income_cents: 0, expenses_cents: 50 },
      ]);
    });

    test('a ledger that works can be pinged', async () => {
      await expect((await emptyLedger()).ping()).resolves.toBeUndefined();
    });
  });
}

const everyday = { name: 'Everyday', kind: 'checking', currency: 'EUR' } as const;

async function withAccount(emptyLedger: () => Promise<Ledger>) {
  const ledger = await emptyLedger();
  return { ledger, account: (await ledger.addAccount(everyday)).id };
}

const spend = (account_id: number, changes: Partial<NewTransaction> = {}): NewTransaction => ({
  account_id,
  date: '2026-11-10',
  description: 'Supermarket',
  category: 'Groceries',
  amount_cents: -1_000,
  ...changes,
});
