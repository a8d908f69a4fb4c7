import { ApiError, notFound } from '../../src/errors.ts';
import {
  type Account,
  type Budget,
  type Ledger,
  type MonthlyTotal,
  type NewAccount,
  type NewBudget,
  type NewTransaction,
  type Search,
  TRANSFER,
  type Transaction,
} from '../../src/ledger.ts';
import { type Month, monthOf } from '../../src/months.ts';

/** A ledger without a database; it passes the same contract test as the real one. */
export class MemoryLedger implements Ledger {
  readonly #accounts: Account[] = [];
  readonly #transactions: Transaction[] = [];
  readonly #budgets = new Map<string, NewBudget>();
  away = false;

  async accounts(): Promise<Account[]> {
    return this.#accounts.map((account) => ({
      ...account,
      balance_cents: sum(this.#transactions.filter((entry) => entry.account_id === account.id)),
    }));
  }

  async addAccount(account: NewAccount): Promise<Account> {
    if (this.#accounts.some(({ name }) => name === account.name)) {
      throw new ApiError(409, 'conflict', `an account '${account.name}' exists`);
    }
    const added = { id: this.#accounts.length + 1, ...account, balance_cents: 0 };
    this.#accounts.push(added);
    return added;
  }

  async transactions(search: Search): Promise<Transaction[]> {
    if (search.account !== undefined) this.#account(search.account);
    return this.#transactions
      .filter((entry) => search.account === undefined || entry.account_id === search.account)
      .filter((entry) => search.month === undefined || entry.date.startsWith(search.month))
      .sort((a, b) => b.date.localeCompare(a.date) || b.id - a.id)
      .filter((entry) => search.after === undefined || isAfter(entry, search.after))
      .slice(0, search.limit);
  }

  async addTransaction(transaction: NewTransaction): Promise<Transaction> {
    this.#account(transaction.account_id);
    const added = { id: this.#transactions.length + 1, ...transaction };
    this.#transactions.push(added);
    return added;
  }

  async budgets(month: Month, currency: string): Promise<Budget[]> {
    return [...this.#budgets.values()]
      .filter((budget) => budget.month === month)
      .sort((a, b) => a.category.localeCompare(b.category))
      .map((budget) => ({ ...budget, spent_cents: this.#spent(budget, currency) }));
  }

  async setBudget(budget: NewBudget, currency: string): Promise<Budget> {
    this.#budgets.set(`${budget.month}/${budget.category}`, budget);
    return { ...budget, spent_cents: this.#spent(budget, currency) };
  }

  async totals(from: Month, to: Month, currency: string): Promise<MonthlyTotal[]> {
    const counted = this.#transactions.filter(
      (entry) =>
        this.#account(entry.account_id).currency === currency && entry.category !== TRANSFER,
    );
    const months = [...new Set(counted.map((entry) => monthOf(new Date(entry.date))))];
    return months
      .filter((month) => month >= from && month <= to)
      .sort()
      .map((month) => {
        const within = counted.filter((entry) => entry.date.startsWith(month));
        return {
          month,
          income_cents: sum(within.filter((entry) => entry.amount_cents > 0)),
          expenses_cents: -sum(within.filter((entry) => entry.amount_cents < 0)),
        };
      });
  }

  async ping(): Promise<void> {
    if (this.away) throw Object.assign(new Error('connect refused'), { code: 'ECONNREFUSED' });
  }

  #account(id: number): Account {
    const found = this.#accounts.find((account) => account.id === id);
    if (found === undefined) throw notFound(`there is no account ${id}`);
    return found;
  }

  #spent(budget: NewBudget, currency: string): number {
    const spent = this.#transactions.filter(
      (entry) =>
        entry.category === budget.category &&
        entry.amount_cents < 0 &&
        entry.date.startsWith(budget.month) &&
        this.#account(entry.account_id).currency === currency,
    );
    return 0 - sum(spent);
  }
}

const sum = (entries: { amount_cents: number }[]): number =>
  entries.reduce((total, entry) => total + entry.amount_cents, 0);

const isAfter = (entry: Transaction, position: { date: string; id: number }): boolean =>
  entry.date < position.date || (entry.date === position.date && entry.id < position.id);
