import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { drain } from '../../src/service.ts';
import { startingWorld, world } from '../support/world.ts';

test('a starting service lives, is not ready and turns data requests away', async () => {
  const { app } = world();
  const starting = startingWorld();
  const statuses = async (of: typeof app) =>
    Promise.all(
      ['/', '/health', '/api/v1/about', '/api/v1/accounts'].map(
        async (url) => (await of.inject({ url })).statusCode,
      ),
    );
  expect(await statuses(starting.app)).toEqual([200, 503, 200, 503]);
  expect(await statuses(app)).toEqual([200, 200, 200, 200]);
});

test('a data request that comes too early is asked to come back', async () => {
  const { app } = startingWorld();
  const answer = await app.inject({ url: '/api/v1/accounts' });
  expect(answer.headers['retry-after']).toBe('1');
  expect(answer.json().error.code).toBe('unavailable');
});

test('the detailed check sees the database, the plain one does not', async () => {
  const { app, ledger } = world();
  ledger.away = true;
  expect((await app.inject({ url: '/health' })).statusCode).toBe(200);
  for (const [method, url] of [
    ['GET', '/health/detailed'],
    ['POST', '/health/detailed'],
    ['POST', '/health'],
  ] as const) {
    const answer = await app.inject({ method, url });
    expect(answer.statusCode).toBe(503);
    expect(answer.json().checks.database).toEqual({ status: 'unavailable' });
  }
  ledger.away = false;
  const healthy = await app.inject({ url: '/health/detailed' });
  expect(healthy.statusCode).toBe(200);
  expect(healthy.json()).toMatchObject({ status: 'ok', checks: { database: { status: 'ok' } } });
});

test('the fault for demonstrations breaks the second health check and nothing else', async () => {
  const { app } = world({ FAULT: 'probe' });
  expect((await app.inject({ url: '/health' })).statusCode).toBe(200);
  expect((await app.inject({ url: '/health' })).statusCode).toBe(500);
  expect((await app.inject({ url: '/' })).statusCode).toBe(200);
  expect((await app.inject({ url: '/api/v1/accounts' })).statusCode).toBe(200);
});

test('metrics count requests by pattern, and say what runs', async () => {
  const { app, config } = world({ APP_COMMIT: 'abc123' });
  await app.inject({ url: '/api/v1/accounts' });
  await app.inject({ url: '/api/v1/transactions?account=9' });
  await app.inject({ url: '/wp-login.php' });
  const { body } = await app.inject({ url: '/metrics' });
  const lines = [
    'http_requests_total{method="GET",route="/api/v1/accounts",status="200"} 1',
    'http_requests_total{method="GET",route="/api/v1/transactions",status="404"} 1',
    'http_requests_total{method="GET",route="unmatched",status="404"} 1',
    `myfin_build_info{version="${config.version}",commit="abc123"} 1`,
    'database_connection_pool{state="active"} 1',
    'database_connection_pool{state="idle"} 2',
    'database_connection_pool{state="waiting"} 0',
  ];
  for (const line of lines) expect(body).toContain(line);
  const buckets = /duration_seconds_bucket\{le="([^"]+)",[^}]*accounts/g;
  const bounds = [...body.matchAll(buckets)].map((match) => match[1]);
  expect(bounds).toEqual(['0.1', '0.5', '1', '2.5', '5', '+Inf']);
});

test('a request keeps the id of the proxy, unless it is not one', async () => {
  const { app } = world();
  const idFor = async (id: string) =>
    (await app.inject({ url: '/', headers: { 'x-request-id': id } })).headers['x-request-id'];
  expect(await idFor('abc-123')).toBe('abc-123');
  expect(await idFor('forged" level="fatal')).toMatch(/^[0-9a-f-]{36}$/);
});

test('draining answers what is in flight, fails readiness and then refuses connections', async () => {
  const { app, ledger, lifecycle, config } = world();
  const inFlight = Promise.withResolvers<void>();
  const release = Promise.withResolvers<void>();
  ledger.accounts = async () => {
    inFlight.resolve();
    await release.promise;
    return [];
  };
  await app.listen({ host: '127.0.0.1', port: 0 });
  const base = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`;
  const slow = fetch(`${base}/api/v1/accounts`);
  await inFlight.promise;
  const drained = drain(app, { config, lifecycle });
  expect((await app.inject({ url: '/health' })).json()).toEqual({ status: 'draining' });
  release.resolve();
  const answer = await slow;
  expect([answer.status, answer.headers.get('connection')]).toEqual([200, 'close']);
  await drained;
  await expect(fetch(base)).rejects.toThrow('fetch failed');
});
