import type { PoolConnection, RowDataPacket } from 'mysql2/promise';
import { MIGRATIONS, type Migration } from './migrations.ts';
import type { Pool } from './pool.ts';

const LOCK_WAIT_SECONDS = 30;

export type Step = (connection: PoolConnection) => Promise<void>;

/**
 * Brings the schema up to date, then runs `afterwards`, both under a lock on the server: of several
 * replicas that start at once, one migrates and the others find nothing left to do. MySQL commits
 * each DDL statement by itself, so every statement is safe to repeat after a crash between two.
 *
 * Returns the names of the migrations that this call applied.
 */
export async function migrate(
  pool: Pool,
  afterwards: Step = async () => {},
  migrations: readonly Migration[] = MIGRATIONS,
): Promise<string[]> {
  const connection = await pool.getConnection();
  try {
    await lock(connection);
    const applied = await applyMissing(connection, migrations);
    await afterwards(connection);
    return applied;
  } finally {
    // The lock belongs to the session and goes with it, also when the session is broken.
    connection.destroy();
  }
}

async function lock(connection: PoolConnection): Promise<void> {
  const [rows] = await connection.query<RowDataPacket[]>(
    "SELECT GET_LOCK(CONCAT('migrations.', DATABASE()), ?) AS taken",
    [LOCK_WAIT_SECONDS],
  );
  if (rows[0]?.taken !== 1) throw new Error('another replica is still migrating the database');
}

async function applyMissing(
  connection: PoolConnection,
  migrations: readonly Migration[],
): Promise<string[]> {
  const current = await currentVersion(connection);
  const missing = migrations.slice(current);
  for (const [index, migration] of missing.entries()) {
    for (const statement of migration.statements) await connection.query(statement);
    await connection.query('INSERT INTO schema_migrations (version, name) VALUES (?, ?)', [
      current + index + 1,
      migration.name,
    ]);
  }
  return missing.map((migration) => migration.name);
}

/** A version above the ones we know is fine: an older release runs on a newer schema after a rollback. */
async function currentVersion(connection: PoolConnection): Promise<number> {
  await connection.query(
    `CREATE TABLE IF NOT EXISTS schema_migrations (
       version INT UNSIGNED NOT NULL PRIMARY KEY,
       name VARCHAR(100) NOT NULL,
       applied_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
     ) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4`,
  );
  const [rows] = await connection.query<RowDataPacket[]>(
    'SELECT COALESCE(MAX(version), 0) AS version FROM schema_migrations',
  );
  return Number(rows[0]?.version ?? 0);
}
