import { afterAll, beforeAll } from 'vitest';
import { migrate } from '../../src/db/migrate.ts';
import { MysqlLedger } from '../../src/db/mysql_ledger.ts';
import { openPool, type Pool } from '../../src/db/pool.ts';
import { ledgerContract } from '../support/ledger_contract.ts';
import { createDatabase, type TestDatabase } from './database.ts';

let database: TestDatabase;
let pool: Pool;

beforeAll(async () => {
  database = await createDatabase();
  pool = openPool(database.config.database);
  await migrate(pool);
});

afterAll(async () => {
  await pool?.end();
  await database?.drop();
});

ledgerContract('MySQL', async () => {
  for (const table of ['transactions', 'accounts', 'budgets']) {
    await pool.query(`DELETE FROM ${table}`);
  }
  return new MysqlLedger(pool);
});
