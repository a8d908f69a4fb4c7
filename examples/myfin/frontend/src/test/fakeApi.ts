import type { Api, NewTransaction, Transaction, TransactionQuery } from "../api";

const PAGE = 3;

/** A server in memory: answers like the real one, and each part can be taken down. */
export class FakeApi implements Api {
  readonly down = new Set<keyof Api>();
  list: Transaction[] = Array.from({ length: 7 }, (_, index) => ({
    id: 7 - index,
    account_id: index % 2 === 0 ? 1 : 2,
    date: index < 4 ? `2026-11-${20 - index}` : `2026-10-${20 - index}`,
    description: `Purchase ${7 - index}`,
    category: "groceries",
    amount_cents: -1250,
  }));

  accounts = () =>
    this.answer("accounts", [
      { id: 1, name: "Everyday", kind: "checking", currency: "EUR", balance_cents: 123456 },
      { id: 2, name: "Travel card", kind: "credit_card", currency: "USD", balance_cents: -4200 },
    ]);

  transactions = ({ accountId, month, cursor }: TransactionQuery) => {
    const matching = this.list.filter(
      (item) =>
        (accountId === "" || String(item.account_id) === accountId) && item.date.startsWith(month),
    );
    const start = Number(cursor);
    const end = start + PAGE;
    return this.answer("transactions", {
      items: matching.slice(start, end),
      next: end < matching.length ? String(end) : null,
    });
  };

  addTransaction = async (transaction: NewTransaction) => {
    const added = { id: this.list.length + 1, ...transaction };
    await this.answer("addTransaction", added);
    this.list = [added, ...this.list];
    return added;
  };

  budgets = (month: string) =>
    this.answer(
      "budgets",
      month === "2026-11"
        ? [
            { category: "groceries", month, limit_cents: 40000, spent_cents: 10000 },
            { category: "fun", month, limit_cents: 10000, spent_cents: 10001 },
          ]
        : [],
    );

  summary = () =>
    this.answer("summary", [
      { month: "2026-10", income_cents: 300000, expenses_cents: 250000 },
      { month: "2026-11", income_cents: 310000, expenses_cents: 90050 },
    ]);

  about = () =>
    this.answer("about", {
      version: "1.4.0",
      commit: "0123456789abcdef0123",
      environment: "staging",
      greeting: "Hello from staging",
    });

  private async answer<T>(part: keyof Api, value: T): Promise<T> {
    if (this.down.has(part)) throw new Error("The server cannot be reached.");
    return value;
  }
}
