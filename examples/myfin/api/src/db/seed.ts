import type { PoolConnection, RowDataPacket } from 'mysql2/promise';
import { type NewAccount, type NewBudget, type NewTransaction, TRANSFER } from '../ledger.ts';
import { addMonths, type Month, monthOf } from '../months.ts';

const MONTHS = 12;

type Habit = { readonly day: number; readonly category: string; readonly cents: number };
type Entry = Omit<NewTransaction, 'account_id'>;

const HABITS: Record<string, Habit> = {
  'Salary, Atlantic Lda': { day: 1, category: 'Salary', cents: 285_000 },
  'Rent, Rua do Carmo': { day: 2, category: 'Housing', cents: -89_000 },
  'Electricity and water': { day: 5, category: 'Utilities', cents: -8_450 },
  'Fibre and mobile': { day: 6, category: 'Utilities', cents: -4_990 },
  'Metro pass': { day: 3, category: 'Transport', cents: -4_000 },
  'Supermarket, first week': { day: 4, category: 'Groceries', cents: -9_240 },
  'Supermarket, second week': { day: 11, category: 'Groceries', cents: -8_615 },
  'Supermarket, third week': { day: 18, category: 'Groceries', cents: -10_130 },
  'Supermarket, fourth week': { day: 25, category: 'Groceries', cents: -7_980 },
  'Dinner with friends': { day: 14, category: 'Eating out', cents: -4_370 },
  'Lunches at work': { day: 20, category: 'Eating out', cents: -6_120 },
  'Cinema and books': { day: 21, category: 'Leisure', cents: -3_550 },
};

const LIMITS: Record<string, number> = {
  Groceries: 40_000,
  'Eating out': 9_000,
  Leisure: 6_000,
  Transport: 5_000,
  Utilities: 15_000,
};

/** Fills an empty database with a year of somebody's life, for every environment but production. */
export async function seedDemoData(
  connection: PoolConnection,
  currency: string,
  today: Date,
): Promise<boolean> {
  const [rows] = await connection.query<RowDataPacket[]>('SELECT id FROM accounts LIMIT 1');
  if (rows.length > 0) return false;
  await connection.beginTransaction();
  const checking = await insertAccount(connection, {
    name: 'Everyday',
    kind: 'checking',
    currency,
  });
  const savings = await insertAccount(connection, { name: 'Rainy day', kind: 'savings', currency });
  for (const entry of demoEntries(today)) {
    await insertTransaction(connection, { account_id: checking, ...entry });
    if (entry.category === TRANSFER) {
      await insertTransaction(connection, {
        account_id: savings,
        ...entry,
        amount_cents: -entry.amount_cents,
      });
    }
  }
  for (const budget of demoBudgets(monthOf(today))) await insertBudget(connection, budget);
  await connection.commit();
  return true;
}

/** The same amounts for the same day, oldest first, and nothing in the future. */
export function demoEntries(today: Date): Entry[] {
  const end = today.toISOString().slice(0, 10);
  const start = addMonths(monthOf(today), 1 - MONTHS);
  return Array.from({ length: MONTHS }, (_, index) => entriesOf(addMonths(start, index), index))
    .flat()
    .filter((entry) => entry.date <= end)
    .sort((a, b) => a.date.localeCompare(b.date));
}

function entriesOf(month: Month, index: number): Entry[] {
  const habits = Object.entries(HABITS).map(([description, habit]) => ({
    date: `${month}-${String(habit.day).padStart(2, '0')}`,
    description,
    category: habit.category,
    amount_cents: habit.cents + swing(habit, index),
  }));
  const saved = { description: 'To savings', category: TRANSFER, amount_cents: -30_000 };
  return [...habits, { date: `${month}-26`, ...saved }];
}

/** Up to 12 % more or less for what varies from month to month. */
function swing(habit: Habit, index: number): number {
  const fixed = ['Salary', 'Housing', 'Transport'].includes(habit.category);
  return fixed ? 0 : Math.round(habit.cents * 0.04 * (((index * 5 + habit.day) % 7) - 3));
}

const demoBudgets = (month: Month): NewBudget[] =>
  Object.entries(LIMITS).map(([category, limit_cents]) => ({ category, month, limit_cents }));

async function insertAccount(connection: PoolConnection, account: NewAccount): Promise<number> {
  const [result] = await connection.query('INSERT INTO accounts SET ?', [account]);
  return (result as { insertId: number }).insertId;
}

async function insertTransaction(connection: PoolConnection, row: NewTransaction): Promise<void> {
  await connection.query('INSERT INTO transactions SET ?', [row]);
}

async function insertBudget(connection: PoolConnection, row: NewBudget): Promise<void> {
  await connection.query('INSERT INTO budgets SET ?', [row]);
}
