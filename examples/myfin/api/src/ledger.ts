import type { Month } from './months.ts';

export const ACCOUNT_KINDS = ['checking', 'savings', 'credit', 'cash', 'investment'] as const;
export type AccountKind = (typeof ACCOUNT_KINDS)[number];

/** Money moved between one's own accounts is neither income nor an expense. */
export const TRANSFER = 'Transfer';

export type NewAccount = {
  readonly name: string;
  readonly kind: AccountKind;
  readonly currency: string;
};
export type Account = NewAccount & { readonly id: number; readonly balance_cents: number };

/** An amount is negative for an expense and positive for income. */
export type NewTransaction = {
  readonly account_id: number;
  readonly date: string;
  readonly description: string;
  readonly category: string;
  readonly amount_cents: number;
};
export type Transaction = NewTransaction & { readonly id: number };

/** The last transaction of a page; the next page goes on after it, newest first. */
export type Position = { readonly date: string; readonly id: number };
export type Search = {
  readonly account?: number | undefined;
  readonly month?: Month | undefined;
  readonly after?: Position | undefined;
  readonly limit: number;
};

export type NewBudget = {
  readonly category: string;
  readonly month: Month;
  readonly limit_cents: number;
};
export type Budget = NewBudget & { readonly spent_cents: number };

export type MonthlyTotal = {
  readonly month: Month;
  readonly income_cents: number;
  readonly expenses_cents: number;
};

/** What the API needs from its database. */
export type Ledger = {
  accounts(): Promise<Account[]>;
  /** Throws a 409 when the name is taken. */
  addAccount(account: NewAccount): Promise<Account>;
  /** Newest first, at most `limit`; throws a 404 when the account is unknown. */
  transactions(search: Search): Promise<Transaction[]>;
  /** Throws a 404 when the account is unknown. */
  addTransaction(transaction: NewTransaction): Promise<Transaction>;
  budgets(month: Month, currency: string): Promise<Budget[]>;
  setBudget(budget: NewBudget, currency: string): Promise<Budget>;
  /** Months without transactions are left out. */
  totals(from: Month, to: Month, currency: string): Promise<MonthlyTotal[]>;
  /** Throws when the database does not answer. */
  ping(): Promise<void>;
};
