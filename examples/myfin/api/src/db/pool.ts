import { createPool, type Pool } from 'mysql2/promise';
import type { Config } from '../config.ts';
import type { PoolState } from '../metrics.ts';

export type { Pool };

export function openPool(database: Config['database']): Pool {
  return createPool({
    host: database.host,
    port: database.port,
    user: database.user,
    password: database.password,
    database: database.name,
    connectionLimit: database.poolSize,
    // A request that cannot get a connection fails early instead of joining an endless queue.
    queueLimit: database.poolSize * 20,
    connectTimeout: 5_000,
    charset: 'utf8mb4',
    timezone: 'Z',
    dateStrings: true,
  });
}

type Length = { readonly length: number };
type Internals = {
  readonly _allConnections: Length;
  readonly _freeConnections: Length;
  readonly _connectionQueue: Length;
};

/** mysql2 has no public counters; its inner queues are what its own debugging prints. */
export function poolState(pool: Pool, limit: number): PoolState {
  const inner = pool.pool as unknown as Internals;
  const idle = inner._freeConnections.length;
  return {
    active: inner._allConnections.length - idle,
    idle,
    waiting: inner._connectionQueue.length,
    limit,
  };
}
