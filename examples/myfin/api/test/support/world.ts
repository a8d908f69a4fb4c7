import type { FastifyInstance } from 'fastify';
import { buildApp } from '../../src/app.ts';
import { type Config, readConfig } from '../../src/config.ts';
import { Lifecycle } from '../../src/lifecycle.ts';
import { MemoryLedger } from './memory_ledger.ts';

export type World = {
  readonly app: FastifyInstance;
  readonly ledger: MemoryLedger;
  readonly lifecycle: Lifecycle;
  readonly config: Config;
};

export const NOW = new Date('2026-11-23T12:00:00Z');

/** An application that is ready, on a ledger without a database. */
export function world(env: NodeJS.ProcessEnv = {}): World {
  const started = startingWorld(env);
  started.lifecycle.becomeReady();
  return started;
}

/** An application whose database is not prepared yet. */
export function startingWorld(env: NodeJS.ProcessEnv = {}): World {
  const config = readConfig({ LOG_LEVEL: 'silent', SHUTDOWN_DELAY_SECONDS: '0', ...env });
  const ledger = new MemoryLedger();
  const lifecycle = new Lifecycle();
  const pool = () => ({ active: 1, idle: 2, waiting: 0, limit: 10 });
  const app = buildApp({ config, ledger, lifecycle, pool, now: () => NOW });
  return { app, ledger, lifecycle, config };
}
