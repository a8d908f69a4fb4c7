import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Surroundings } from '../app.ts';
import type { Config } from '../config.ts';
import { ApiError } from '../errors.ts';
import type { Phase } from '../lifecycle.ts';

/**
 * GET / says that the process lives, GET /health that it may be given traffic. Neither asks the
 * database: a database that is away must not take every replica out at once. The detailed check does.
 */
export function addHealth(app: FastifyInstance, around: Surroundings): void {
  const { config, lifecycle } = around;
  app.get('/', async () => ({
    service: 'myfin-api',
    version: config.version,
    status: lifecycle.phase,
  }));
  const fault = new Fault(config.fault);
  app.get('/health', async (_request, reply) => {
    const { status, body } = judgeHealth(lifecycle.phase);
    if (status === 200) fault.strike();
    return reply.status(status).send(body);
  });

  const detailed = async (_request: FastifyRequest, reply: FastifyReply) => {
    const health = judgeHealth(lifecycle.phase);
    const database = await checkDatabase(around);
    const healthy = health.status === 200 && database.status === 'ok';
    return reply.status(healthy ? 200 : 503).send({
      status: healthy ? 'ok' : 'unavailable',
      version: config.version,
      uptime_seconds: Math.round(process.uptime()),
      checks: { service: health.body, database, pool: around.pool() },
    });
  };
  app.route({ method: ['GET', 'POST'], url: '/health/detailed', handler: detailed });
  app.post('/health', detailed);
}

/** Good once, so that Kubernetes lets the pod in; what probes the release has to find out. */
class Fault {
  readonly #kind: Config['fault'];
  #answered = 0;

  constructor(kind: Config['fault']) {
    this.#kind = kind;
  }

  strike(): void {
    this.#answered += 1;
    if (this.#kind === 'probe' && this.#answered > 1) {
      throw new ApiError(500, 'fault', 'FAULT=probe is set');
    }
  }
}

function judgeHealth(phase: Phase): { status: number; body: { status: string } } {
  return phase === 'ready'
    ? { status: 200, body: { status: 'ok' } }
    : { status: 503, body: { status: phase } };
}

async function checkDatabase(around: Surroundings) {
  const started = performance.now();
  try {
    await around.ledger.ping();
  } catch {
    return { status: 'unavailable' as const };
  }
  return { status: 'ok' as const, latency_ms: Math.round(performance.now() - started) };
}
