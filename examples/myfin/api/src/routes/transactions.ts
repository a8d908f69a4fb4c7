import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { Surroundings } from '../app.ts';
import { ApiError, parse } from '../errors.ts';
import type { Position } from '../ledger.ts';
import { cents, day, id, month, text } from './inputs.ts';

const Query = z.strictObject({
  account: id.optional(),
  month: month.optional(),
  cursor: z.string().max(100).optional(),
  limit: z.coerce.number().int().min(1).max(200, 'must be at most 200').default(50),
});

const NewTransaction = z.strictObject({
  account_id: z.int().positive('must be the number of an account'),
  date: day,
  description: text(200),
  category: text(60),
  amount_cents: cents.refine((amount) => amount !== 0, 'must not be 0'),
});

export function addTransactions(app: FastifyInstance, { ledger }: Surroundings): void {
  app.get('/transactions', async (request) => {
    const query = parse(Query, request.query, 'query');
    const after = query.cursor === undefined ? undefined : decodeCursor(query.cursor);
    // One more than asked for tells whether there is a next page.
    const found = await ledger.transactions({ ...query, after, limit: query.limit + 1 });
    const items = found.slice(0, query.limit);
    const last = items.at(-1);
    return { items, next: found.length > items.length && last ? encodeCursor(last) : null };
  });
  app.post('/transactions', async (request, reply) => {
    const transaction = parse(NewTransaction, request.body, 'body');
    return reply.status(201).send(await ledger.addTransaction(transaction));
  });
}

export const encodeCursor = ({ date, id: number }: Position): string =>
  Buffer.from(`${date}/${number}`).toString('base64url');

export function decodeCursor(cursor: string): Position {
  const match = /^(\d{4}-\d\d-\d\d)\/(\d{1,15})$/.exec(
    Buffer.from(cursor, 'base64url').toString('latin1'),
  );
  if (match?.[1] === undefined) {
    const message = "must be the 'next' of an earlier page";
    throw new ApiError(400, 'validation_failed', `query.cursor: ${message}`, [
      { path: 'query.cursor', message },
    ]);
  }
  return { date: match[1], id: Number(match[2]) };
}
