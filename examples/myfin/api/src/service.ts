import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import { buildApp, type Surroundings } from './app.ts';
import { untilItWorks } from './backoff.ts';
import type { Config } from './config.ts';
import { migrate } from './db/migrate.ts';
import { MysqlLedger } from './db/mysql_ledger.ts';
import { openPool, type Pool, poolState } from './db/pool.ts';
import { seedDemoData } from './db/seed.ts';
import { Lifecycle } from './lifecycle.ts';

export type Service = {
  readonly app: FastifyInstance;
  /** Fulfilled when the schema is up to date and traffic may come. */
  readonly ready: Promise<void>;
  stop(): Promise<void>;
};

/** Listens at once, so that it can say that it lives, and prepares the database meanwhile. */
export async function startService(config: Config): Promise<Service> {
  const pool = openPool(config.database);
  const lifecycle = new Lifecycle();
  const app = buildApp({
    config,
    lifecycle,
    ledger: new MysqlLedger(pool),
    pool: () => poolState(pool, config.database.poolSize),
    now: () => new Date(),
  });
  await app.listen({ host: config.host, port: config.port });
  const stopping = new AbortController();
  const ready = prepare(app, pool, config, stopping.signal).then(() => lifecycle.becomeReady());
  // It fails only by being stopped: everything else is tried again.
  ready.catch(() => app.log.warn('stopped before the database was ready'));
  return {
    app,
    ready,
    async stop() {
      stopping.abort();
      await drain(app, { config, lifecycle });
      await closePool(app, pool);
    },
  };
}

async function prepare(
  app: FastifyInstance,
  pool: Pool,
  config: Config,
  signal: AbortSignal,
): Promise<void> {
  const seed = async (connection: Parameters<typeof seedDemoData>[0]) => {
    if (!config.seedDemoData) return;
    const seeded = await seedDemoData(connection, config.currency, new Date());
    if (seeded) app.log.info('demo data written');
  };
  const applied = await untilItWorks(() => migrate(pool, seed), {
    signal,
    failed: (error, waitMs) => {
      const { code, message } = error as { code?: string; message?: string };
      app.log.warn({ code, reason: message, retry_in_ms: waitMs }, 'database is not ready');
    },
  });
  app.log.info({ applied }, 'database is ready');
}

/**
 * Stops without losing a request: readiness fails first while requests are still answered, then
 * nothing new is accepted, then what is in flight may finish, and is cut off only after the deadline.
 */
export async function drain(
  app: FastifyInstance,
  { config, lifecycle }: Pick<Surroundings, 'config' | 'lifecycle'>,
): Promise<void> {
  lifecycle.drain();
  await sleep(config.shutdown.delaySeconds * 1000);
  const deadline = setTimeout(() => {
    app.log.error('requests are still in flight at the deadline: closing their connections');
    app.server.closeAllConnections();
  }, config.shutdown.drainSeconds * 1000);
  await app.close();
  clearTimeout(deadline);
}

const POOL_CLOSE_MS = 2_000;

/** A connection that is broken or waits for a lock must not keep the process from ending. */
async function closePool(app: FastifyInstance, pool: Pool): Promise<void> {
  try {
    await Promise.race([pool.end(), sleep(POOL_CLOSE_MS, undefined, { ref: false })]);
  } catch (error) {
    app.log.warn({ err: error }, 'a connection did not close cleanly');
  }
}
