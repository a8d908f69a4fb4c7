import { beforeEach, describe, expect, test } from 'vitest';
import { decodeCursor, encodeCursor } from '../../src/routes/transactions.ts';
import { type World, world } from '../support/world.ts';

let given: World;

beforeEach(() => {
  given = world();
});

const get = async (url: string) => (await given.app.inject({ url: `/api/v1${url}` })).json();
const send = async (method: 'POST' | 'PUT', url: string, payload: unknown) =>
  given.app.inject({ method, url: `/api/v1${url}`, payload: payload as object });

const account = { name: 'Everyday', kind: 'checking', currency: 'EUR' };
const entry = {
  account_id: 1,
  date: '2026-11-10',
  description: 'Supermarket',
  category: 'Groceries',
  amount_cents: -2_350,
};

describe('accounts', () => {
  test('an account is added and listed with its balance', async () => {
    expect((await send('POST', '/accounts', account)).statusCode).toBe(201);
    await send('POST', '/transactions', entry);
    expect(await get('/accounts')).toEqual([{ id: 1, ...account, balance_cents: -2_350 }]);
  });

  test('the currency is the one of this installation unless another is named', async () => {
    const added = await send('POST', '/accounts', { name: 'Cash', kind: 'cash' });
    expect(added.json()).toMatchObject({ currency: 'EUR' });
  });

  test('a name that is taken is a conflict', async () => {
    await send('POST', '/accounts', account);
    const second = await send('POST', '/accounts', account);
    expect(second.statusCode).toBe(409);
    expect(second.json().error).toEqual({
      code: 'conflict',
      message: "an account 'Everyday' exists",
    });
  });
});

describe('transactions', () => {
  test('pages follow one another to the end without a gap', async () => {
    await send('POST', '/accounts', account);
    for (let day = 10; day < 15; day++) {
      await send('POST', '/transactions', { ...entry, date: `2026-11-${day}` });
    }
    const seen: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const page = await get(`/transactions?limit=2${cursor && `&cursor=${cursor}`}`);
      seen.push(...page.items.map((item: { date: string }) => item.date.slice(-2)));
      cursor = page.next;
    }
    expect(seen).toEqual(['14', '13', '12', '11', '10']);
  });

  test('a page that is exactly full is the last one', async () => {
    await send('POST', '/accounts', account);
    await send('POST', '/transactions', entry);
    expect(await get('/transactions?limit=1')).toEqual({
      items: [{ id: 1, ...entry }],
      next: null,
    });
  });

  test('an unknown account is not found', async () => {
    const answers = [
      await send('POST', '/transactions', entry),
      await given.app.inject({ url: '/api/v1/transactions?account=1' }),
    ];
    for (const answer of answers) {
      expect(answer.statusCode).toBe(404);
      expect(answer.json().error).toMatchObject({ code: 'not_found' });
    }
  });

  test('a cursor survives its journey, and another text is refused', () => {
    const position = { date: '2026-11-10', id: 42 };
    expect(decodeCursor(encodeCursor(position))).toEqual(position);
    expect(() => decodeCursor('abc')).toThrow('query.cursor');
  });
});

describe('budgets and the summary', () => {
  test('budgets are those of the current month unless another is asked for', async () => {
    await send('POST', '/accounts', account);
    await send('POST', '/transactions', entry);
    const budget = { category: 'Groceries', month: '2026-11', limit_cents: 30_000 };
    const stored = await send('PUT', '/budgets', budget);
    expect(stored.json()).toEqual({ ...budget, spent_cents: 2_350 });
    expect(await get('/budgets')).toEqual([stored.json()]);
    expect(await get('/budgets?month=2026-10')).toEqual([]);
  });

  test('the summary has every month, the current one last', async () => {
    await send('POST', '/accounts', account);
    await send('POST', '/transactions', entry);
    await send('POST', '/transactions', { ...entry, date: '2026-10-01', amount_cents: 250_000 });
    expect(await get('/summary/monthly?months=3')).toEqual([
      { month: '2026-09', income_cents: 0, expenses_cents: 0 },
      { month: '2026-10', income_cents: 250_000, expenses_cents: 0 },
      { month: '2026-11', income_cents: 0, expenses_cents: 2_350 },
    ]);
    expect(await get('/summary/monthly')).toHaveLength(12);
  });
});

describe('bad input is refused with a reason', () => {
  test.each([
    ['/transactions', { ...entry, amount_cents: 1.5 }, 'body.amount_cents'],
    ['/transactions', { ...entry, amount_cents: 0 }, 'body.amount_cents'],
    ['/transactions', { ...entry, amount_cents: 1e15 }, 'body.amount_cents'],
    ['/transactions', { ...entry, date: '2026-02-30' }, 'body.date'],
    ['/transactions', { ...entry, date: '10/11/2026' }, 'body.date'],
    ['/transactions', { ...entry, description: '   ' }, 'body.description'],
    ['/transactions', { ...entry, colour: 'red' }, 'body'],
    ['/accounts', { ...account, kind: 'shoebox' }, 'body.kind'],
    ['/accounts', { ...account, currency: 'euro' }, 'body.currency'],
    ['/accounts', { ...account, name: 'x'.repeat(81) }, 'body.name'],
  ])('POST %s %j names %s', async (url, body, path) => {
    const answer = await send('POST', url, body);
    expect(answer.statusCode).toBe(400);
    const { error } = answer.json();
    expect(error).toMatchObject({ code: 'validation_failed', details: [{ path }] });
    expect(error.message).toContain(path);
  });

  test.each([
    ['/transactions?account=first', 'query.account'],
    ['/transactions?month=2026-13', 'query.month'],
    ['/transactions?limit=1000', 'query.limit'],
    ['/transactions?cursor=abc', 'query.cursor'],
    ['/transactions?page=2', 'query'],
    ['/budgets?month=november', 'query.month'],
    ['/summary/monthly?months=0', 'query.months'],
  ])('GET %s names %s', async (url, path) => {
    const { error } = await get(url);
    expect(error).toMatchObject({ code: 'validation_failed', details: [{ path }] });
  });

  test('every bad field is named at once', async () => {
    const { error } = (await send('POST', '/transactions', {})).json();
    expect(error.details.map((detail: { path: string }) => detail.path)).toEqual(
      Object.keys(entry).map((field) => `body.${field}`),
    );
  });

  test.each([
    [400, 'bad_request', 'application/json', '{"name":'],
    [415, 'unsupported_media_type', 'text/csv', 'name,kind'],
    [413, 'body_too_large', 'application/json', `{"name":"${'x'.repeat(70_000)}"}`],
  ])('a body that cannot be read is answered with %i %s', async (status, code, type, payload) => {
    const answer = await given.app.inject({
      method: 'POST',
      url: '/api/v1/accounts',
      headers: { 'content-type': type },
      payload,
    });
    expect(answer.statusCode).toBe(status);
    expect(answer.json().error.code).toBe(code);
  });

  test('an unknown path is not found, as JSON', async () => {
    expect(await get('/nothing')).toEqual({
      error: { code: 'not_found', message: 'there is no GET /api/v1/nothing' },
    });
  });
});

describe('failures of our own', () => {
  test.each([
    ['ECONNREFUSED', 503, 'unavailable'],
    ['PROTOCOL_CONNECTION_LOST', 503, 'unavailable'],
    ['ER_PARSE_ERROR', 500, 'internal'],
  ])('a database error %s is a %i that tells no secrets', async (code, status, name) => {
    given.ledger.accounts = () =>
      Promise.reject(Object.assign(new Error('secret of the house'), { code }));
    const answer = await given.app.inject({ url: '/api/v1/accounts' });
    expect(answer.statusCode).toBe(status);
    expect(answer.json().error.code).toBe(name);
    expect(answer.body).not.toContain('secret');
  });
});

describe('about', () => {
  test('says what runs and how it is configured', async () => {
    given = world({ APP_COMMIT: 'abc123', APP_ENVIRONMENT: 'staging', GREETING: 'Olá' });
    expect(await get('/about')).toEqual({
      version: expect.stringMatching(/^\d+\.\d+\.\d+$/),
      commit: 'abc123',
      environment: 'staging',
      greeting: 'Olá',
    });
  });
});
