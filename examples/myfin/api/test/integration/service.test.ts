import { randomBytes } from 'node:crypto';
import { afterEach, expect, test } from 'vitest';
import { type Service, startService } from '../../src/service.ts';
import { configFor, createDatabase, onServer } from './database.ts';

const cleanups: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function start(config: Parameters<typeof startService>[0]): Promise<Service> {
  const service = await startService(config);
  cleanups.push(() => service.stop());
  return service;
}

const statusOf = async (service: Service, url: string) =>
  (await service.app.inject({ url })).statusCode;

test('a service with demo data answers from the database', async () => {
  const database = await createDatabase({ SEED_DEMO_DATA: 'true' });
  cleanups.push(database.drop);
  const service = await start(database.config);
  await service.ready;
  expect(await statusOf(service, '/health')).toBe(200);
  expect(await statusOf(service, '/health/detailed')).toBe(200);
  const accounts = (await service.app.inject({ url: '/api/v1/accounts' })).json();
  expect(accounts.map((account: { name: string }) => account.name)).toEqual([
    'Everyday',
    'Rainy day',
  ]);
  const summary = (await service.app.inject({ url: '/api/v1/summary/monthly' })).json();
  expect(summary).toHaveLength(12);
  expect(summary[0].income_cents).toBe(285_000);
  const budgets = (await service.app.inject({ url: '/api/v1/budgets' })).json();
  expect(budgets).toHaveLength(5);
});

test('a service that starts before its database waits for it and then becomes ready', async () => {
  const name = `myfin_test_${randomBytes(6).toString('hex')}`;
  const service = await start(configFor(name));
  expect(await statusOf(service, '/')).toBe(200);
  expect(await statusOf(service, '/health')).toBe(503);
  expect(await statusOf(service, '/health/detailed')).toBe(503);
  await onServer(`CREATE DATABASE ${name}`);
  cleanups.unshift(() => onServer(`DROP DATABASE ${name}`));
  await service.ready;
  expect(await statusOf(service, '/health')).toBe(200);
});

test('a service that is stopped before its database is there stops at once', async () => {
  const service = await startService(configFor('myfin_test_never'));
  const stopped = service.stop();
  await expect(service.ready).rejects.toThrow();
  await expect(stopped).resolves.toBeUndefined();
});
