import { randomUUID } from 'node:crypto';
import Fastify, { type FastifyInstance, LogController } from 'fastify';
import type { Config } from './config.ts';
import { ApiError, sendError, unavailable } from './errors.ts';
import type { Ledger } from './ledger.ts';
import type { Lifecycle } from './lifecycle.ts';
import { addMetrics, type PoolState } from './metrics.ts';
import { addAbout } from './routes/about.ts';
import { addAccounts } from './routes/accounts.ts';
import { addBudgets } from './routes/budgets.ts';
import { addHealth } from './routes/health.ts';
import { addSummary } from './routes/summary.ts';
import { addTransactions } from './routes/transactions.ts';

export type Surroundings = {
  readonly config: Config;
  readonly ledger: Ledger;
  readonly lifecycle: Lifecycle;
  readonly pool: () => PoolState;
  readonly now: () => Date;
};

// Envoy and nginx keep upstream connections for up to an hour. The proxy must be the one that
// closes, or a request meets a connection that is just going away.
const KEEP_ALIVE_MS = 3_605_000;
const REQUEST_TIMEOUT_MS = 30_000;
const QUIET_ROUTES = new Set<string | undefined>(['/', '/health', '/metrics']);

export function buildApp(around: Surroundings): FastifyInstance {
  const app = Fastify({
    logger: loggerOptions(around.config),
    // One line a request, written by addRequestLog, not fastify's two.
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: (request) => acceptedId(request.headers['x-request-id']) ?? randomUUID(),
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    keepAliveTimeout: KEEP_ALIVE_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    bodyLimit: 64 * 1024,
  });
  app.setErrorHandler(sendError);
  app.setNotFoundHandler((request) => {
    throw new ApiError(404, 'not_found', `there is no ${request.method} ${request.url}`);
  });
  addRequestLog(app);
  addDraining(app, around.lifecycle);
  addMetrics(app, { ...around.config, pool: around.pool });
  addHealth(app, around);
  app.register(async (api) => addApi(api, around), { prefix: '/api/v1' });
  return app;
}

function addApi(api: FastifyInstance, around: Surroundings): void {
  addAbout(api, around.config);
  api.register(async (data) => {
    data.addHook('onRequest', async () => {
      if (around.lifecycle.phase === 'starting') throw unavailable('the service is starting');
    });
    addAccounts(data, around);
    addTransactions(data, around);
    addBudgets(data, around);
    addSummary(data, around);
  });
}

function addRequestLog(app: FastifyInstance): void {
  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id);
  });
  app.addHook('onResponse', async (request, reply) => {
    const level = QUIET_ROUTES.has(request.routeOptions.url) ? 'debug' : 'info';
    request.log[level](
      {
        method: request.method,
        path: request.url,
        status: reply.statusCode,
        duration_ms: Math.round(reply.elapsedTime * 10) / 10,
      },
      'request answered',
    );
  });
}

/** While draining, each answer asks its client to open the next connection elsewhere. */
function addDraining(app: FastifyInstance, lifecycle: Lifecycle): void {
  app.addHook('onSend', async (_request, reply) => {
    if (lifecycle.phase === 'draining') reply.header('connection', 'close');
  });
}

function acceptedId(header: string | string[] | undefined): string | undefined {
  return typeof header === 'string' && /^[\w-]{1,64}$/.test(header) ? header : undefined;
}

function loggerOptions(config: Config) {
  return {
    level: config.logLevel,
    base: { service: 'myfin-api', version: config.version, environment: config.environment },
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label: string) => ({ level: label }) },
  };
}
