import type { FastifyInstance } from 'fastify';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';

export type PoolState = { active: number; idle: number; waiting: number; limit: number };

export type MetricsOptions = {
  readonly version: string;
  readonly commit: string;
  readonly pool: () => PoolState;
};

const BUCKETS_SECONDS = [0.1, 0.5, 1, 2.5, 5];

/** Counts every request, and answers Prometheus at /metrics. */
export function addMetrics(app: FastifyInstance, options: MetricsOptions): Registry {
  const registry = new Registry();
  const requests = new Counter({
    name: 'http_requests_total',
    help: 'Answered HTTP requests',
    labelNames: ['method', 'route', 'status'],
    registers: [registry],
  });
  const durations = new Histogram({
    name: 'http_request_duration_seconds',
    help: 'Time from the arrival of a request to the end of its answer',
    labelNames: ['method', 'route', 'status'],
    buckets: BUCKETS_SECONDS,
    registers: [registry],
  });
  addPoolGauge(registry, options.pool);
  new Gauge({
    name: 'myfin_build_info',
    help: 'Always 1; the labels say what runs',
    labelNames: ['version', 'commit'],
    registers: [registry],
  }).set({ version: options.version, commit: options.commit }, 1);

  app.addHook('onResponse', async (request, reply) => {
    const labels = {
      method: request.method,
      // The pattern, not the path: a label per id would grow without end.
      route: request.routeOptions.url ?? 'unmatched',
      status: String(reply.statusCode),
    };
    requests.inc(labels);
    durations.observe(labels, reply.elapsedTime / 1000);
  });
  app.get('/metrics', async (_request, reply) => {
    reply.type(registry.contentType);
    return registry.metrics();
  });
  return registry;
}

function addPoolGauge(registry: Registry, pool: () => PoolState): void {
  new Gauge({
    name: 'database_connection_pool',
    help: 'Connections of the pool by state; waiting counts the requests that queue for one',
    labelNames: ['state'],
    registers: [registry],
    collect() {
      for (const [state, count] of Object.entries(pool())) this.set({ state }, count);
    },
  });
}
