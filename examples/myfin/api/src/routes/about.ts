import type { FastifyInstance } from 'fastify';
import type { Config } from '../config.ts';

/** What runs here and how it is configured, so that a change of either can be seen. */
export function addAbout(app: FastifyInstance, config: Config): void {
  app.get('/about', async () => ({
    version: config.version,
    commit: config.commit,
    environment: config.environment,
    greeting: config.greeting,
  }));
}
