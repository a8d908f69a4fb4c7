import { randomBytes } from 'node:crypto';
import { createConnection } from 'mysql2/promise';
import { type Config, readConfig } from '../../src/config.ts';

/** Server for the integration tests, with a user that may create databases. */
const server = {
  host: process.env.TEST_DB_HOST ?? '127.0.0.1',
  port: Number(process.env.TEST_DB_PORT ?? 3306),
  user: process.env.TEST_DB_USER ?? 'root',
  password: process.env.TEST_DB_PASSWORD ?? '',
};

export type TestDatabase = { readonly config: Config; drop(): Promise<void> };

/** An empty database of its own, so that test files can run side by side. */
export async function createDatabase(env: NodeJS.ProcessEnv = {}): Promise<TestDatabase> {
  const name = `myfin_test_${randomBytes(6).toString('hex')}`;
  await onServer(`CREATE DATABASE ${name}`);
  return { config: configFor(name, env), drop: () => onServer(`DROP DATABASE ${name}`) };
}

export function configFor(name: string, env: NodeJS.ProcessEnv = {}): Config {
  return readConfig({
    LOG_LEVEL: 'silent',
    HOST: '127.0.0.1',
    PORT: '0',
    SHUTDOWN_DELAY_SECONDS: '0',
    DB_HOST: server.host,
    DB_PORT: String(server.port),
    DB_USER: server.user,
    DB_PASSWORD: server.password,
    DB_NAME: name,
    ...env,
  });
}

export async function onServer(sql: string): Promise<void> {
  const connection = await createConnection(server);
  await connection.query(sql);
  await connection.end();
}
