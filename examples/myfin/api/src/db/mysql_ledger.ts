import type { ResultSetHeader, RowDataPacket } from 'mysql2/promise';
import { ApiError, notFound } from '../errors.ts';
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
} from '../ledger.ts';
import { addMonths, firstDay, type Month } from '../months.ts';
import type { Pool } from './pool.ts';

type Row<T> = T & RowDataPacket;
type Parameter = string | number;

const PING_TIMEOUT_MS = 2_000;

/** MySQL answers sums as DECIMAL, which arrives as text. */
const numbers = <T>(row: T, ...keys: (keyof T)[]): T => ({
  ...row,
  ...Object.fromEntries(keys.map((key) => [key, Number(row[key])])),
});

export class MysqlLedger implements Ledger {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  async accounts(): Promise<Account[]> {
    const rows = await this.#rows<Account>(
      `SELECT a.id, a.name, a.kind, a.currency, COALESCE(SUM(t.amount_cents), 0) AS balance_cents
         FROM accounts a LEFT JOIN transactions t ON t.account_id = a.id
        GROUP BY a.id, a.name, a.kind, a.currency
        ORDER BY a.id`,
    );
    return rows.map((row) => numbers(row, 'balance_cents'));
  }

  async addAccount(account: NewAccount): Promise<Account> {
    const id = await this.#insert(
      'INSERT INTO accounts (name, kind, currency) VALUES (?, ?, ?)',
      [account.name, account.kind, account.currency],
      { ER_DUP_ENTRY: new ApiError(409, 'conflict', `an account '${account.name}' exists`) },
    );
    return { id, ...account, balance_cents: 0 };
  }

  async transactions(search: Search): Promise<Transaction[]> {
    if (search.account !== undefined) await this.#requireAccount(search.account);
    const { where, values } = conditions(search);
    return this.#rows<Transaction>(
      `SELECT id, account_id, date, description, category, amount_cents
         FROM transactions ${where}
        ORDER BY date DESC, id DESC LIMIT ?`,
      [...values, search.limit],
    );
  }

  async addTransaction(transaction: NewTransaction): Promise<Transaction> {
    const { account_id, date, description, category, amount_cents } = transaction;
    const id = await this.#insert(
      `INSERT INTO transactions (account_id, date, description, category, amount_cents)
       VALUES (?, ?, ?, ?, ?)`,
      [account_id, date, description, category, amount_cents],
      { ER_NO_REFERENCED_ROW_2: unknownAccount(account_id) },
    );
    return { id, ...transaction };
  }

  async budgets(month: Month, currency: string): Promise<Budget[]> {
    return this.#budgets('b.month = ?', [month], currency);
  }

  async setBudget(budget: NewBudget, currency: string): Promise<Budget> {
    const { category, month, limit_cents } = budget;
    await this.#pool.query(
      `INSERT INTO budgets (category, month, limit_cents) VALUES (?, ?, ?)
       ON DUPLICATE KEY UPDATE limit_cents = ?`,
      [category, month, limit_cents, limit_cents],
    );
    const key: Parameter[] = [month, category];
    const [stored] = await this.#budgets('b.month = ? AND b.category = ?', key, currency);
    return stored ?? { ...budget, spent_cents: 0 };
  }

  async totals(from: Month, to: Month, currency: string): Promise<MonthlyTotal[]> {
    const rows = await this.#rows<MonthlyTotal>(
      `SELECT DATE_FORMAT(t.date, '%Y-%m') AS month,
              SUM(GREATEST(t.amount_cents, 0)) AS income_cents,
              SUM(GREATEST(-t.amount_cents, 0)) AS expenses_cents
         FROM transactions t JOIN accounts a ON a.id = t.account_id
        WHERE t.date >= ? AND t.date < ? AND a.currency = ? AND t.category <> ?
        GROUP BY month ORDER BY month`,
      [firstDay(from), firstDay(addMonths(to, 1)), currency, TRANSFER],
    );
    return rows.map((row) => numbers(row, 'income_cents', 'expenses_cents'));
  }

  async ping(): Promise<void> {
    await this.#pool.query({
      sql: 'SELECT 1 FROM schema_migrations LIMIT 1',
      timeout: PING_TIMEOUT_MS,
    });
  }

  async #budgets(where: string, values: Parameter[], currency: string): Promise<Budget[]> {
    const rows = await this.#rows<Budget>(
      `SELECT b.category, b.month, b.limit_cents,
              COALESCE((SELECT SUM(-t.amount_cents)
                          FROM transactions t JOIN accounts a ON a.id = t.account_id
                         WHERE t.category = b.category AND a.currency = ? AND t.amount_cents < 0
                           AND t.date >= CONCAT(b.month, '-01')
                           AND t.date < CONCAT(b.month, '-01') + INTERVAL 1 MONTH), 0) AS spent_cents
         FROM budgets b WHERE ${where} ORDER BY b.category`,
      [currency, ...values],
    );
    return rows.map((row) => numbers(row, 'spent_cents'));
  }

  async #requireAccount(id: number): Promise<void> {
    const rows = await this.#rows('SELECT id FROM accounts WHERE id = ?', [id]);
    if (rows.length === 0) throw unknownAccount(id);
  }

  async #rows<T>(sql: string, values: Parameter[] = []): Promise<T[]> {
    const [rows] = await this.#pool.query<Row<T>[]>(sql, values);
    return rows;
  }

  async #insert(
    sql: string,
    values: Parameter[],
    expected: Record<string, ApiError>,
  ): Promise<number> {
    try {
      const [result] = await this.#pool.query<ResultSetHeader>(sql, values);
      return result.insertId;
    } catch (error) {
      throw expected[String((error as { code?: string }).code)] ?? error;
    }
  }
}

const unknownAccount = (id: number): ApiError => notFound(`there is no account ${id}`);

function conditions(search: Search): { where: string; values: Parameter[] } {
  const parts: [string, ...Parameter[]][] = [];
  if (search.account !== undefined) parts.push(['account_id = ?', search.account]);
  if (search.month !== undefined) {
    const next = firstDay(addMonths(search.month, 1));
    parts.push(['date >= ? AND date < ?', firstDay(search.month), next]);
  }
  if (search.after !== undefined) {
    parts.push(['(date, id) < (?, ?)', search.after.date, search.after.id]);
  }
  const where = parts.map(([condition]) => condition).join(' AND ');
  return {
    where: where && `WHERE ${where}`,
    values: parts.flatMap(([, ...values]) => values),
  };
}
