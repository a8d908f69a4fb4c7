import { ConfigError, readConfig } from './config.ts';
import { type Service, startService } from './service.ts';

async function main(): Promise<void> {
  const service = startService(readConfig(process.env));
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, async () => stop(await service, signal));
  }
  await service;
}

async function stop(service: Service, signal: string): Promise<void> {
  service.app.log.info({ signal }, 'stopping');
  await service.stop();
  service.app.log.info('stopped');
  process.exit(0);
}

main().catch((error: unknown) => {
  const message = error instanceof ConfigError ? error.message : String(error);
  process.stderr.write(`${JSON.stringify({ level: 'fatal', msg: message })}\n`);
  process.exitCode = 1;
});
