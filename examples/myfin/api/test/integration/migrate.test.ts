import type { RowDataPacket } from 'mysql2/promise';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { migrate } from '../../src/db/migrate.ts';
import { MIGRATIONS } from '../../src/db/migrations.ts';
import { openPool, type Pool } from '../../src/db/pool.ts';
import { seedDemoData } from '../../src/db/seed.ts';
import { createDatabase, type TestDatabase } from './database.ts';

let database: TestDatabase;
let pools: [Pool, Pool];

beforeEach(async () => {
  database = await createDatabase();
  pools = [openPool(database.config.database), openPool(database.config.database)];
});

afterEach(async () => {
  for (const pool of pools ?? []) await pool.end();
  await database?.drop();
});

const count = async (table: string): Promise<number> => {
  const [rows] = await pools[0].query<RowDataPacket[]>(`SELECT COUNT(*) AS n FROM ${table}`);
  return rows[0]?.n;
};

test('two replicas that start at once migrate and seed once', async () => {
  const seed = async (connection: Parameters<typeof seedDemoData>[0]) => {
    await seedDemoData(connection, 'EUR', new Date('2026-11-23T12:00:00Z'));
  };
  const applied = await Promise.all(pools.map((pool) => migrate(pool, seed)));
  expect(applied.map((names) => names.length).sort()).toEqual([0, MIGRATIONS.length]);
  expect(await count('schema_migrations')).toBe(MIGRATIONS.length);
  expect(await count('accounts')).toBe(2);
});

test('migrating again changes nothing', async () => {
  expect(await migrate(pools[0])).toEqual(MIGRATIONS.map((migration) => migration.name));
  expect(await migrate(pools[1])).toEqual([]);
});

test('a migration that stopped half-way is finished by the next start', async () => {
  const [first] = MIGRATIONS;
  if (first === undefined) throw new Error('there are no migrations');
  const broken = { ...first, statements: [first.statements[0] ?? '', 'SELECT broken'] };
  await expect(migrate(pools[0], undefined, [broken])).rejects.toThrow('broken');
  expect(await count('schema_migrations')).toBe(0);
  expect(await migrate(pools[1])).toHaveLength(MIGRATIONS.length);
});

test('an older release starts on the schema of a newer one', async () => {
  const newer = { name: 'of the future', statements: ['CREATE TABLE future (id INT)'] };
  await migrate(pools[0], undefined, [...MIGRATIONS, newer]);
  expect(await migrate(pools[1])).toEqual([]);
});
