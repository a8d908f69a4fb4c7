import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { Surroundings } from '../app.ts';
import { parse } from '../errors.ts';
import { monthOf } from '../months.ts';
import { cents, currency, month, text } from './inputs.ts';

const Budget = z.strictObject({
  category: text(60),
  month,
  limit_cents: cents.min(0, 'must not be negative'),
});

export function addBudgets(app: FastifyInstance, { ledger, config, now }: Surroundings): void {
  const Query = z.strictObject({
    month: month.optional(),
    currency: currency.default(config.currency),
  });
  app.get('/budgets', async (request) => {
    const query = parse(Query, request.query, 'query');
    return ledger.budgets(query.month ?? monthOf(now()), query.currency);
  });
  app.put('/budgets', async (request) =>
    ledger.setBudget(parse(Budget, request.body, 'body'), config.currency),
  );
}
