import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { Surroundings } from '../app.ts';
import { parse } from '../errors.ts';
import type { MonthlyTotal } from '../ledger.ts';
import { type Month, monthOf, monthsUntil } from '../months.ts';
import { currency } from './inputs.ts';

export function addSummary(app: FastifyInstance, { ledger, config, now }: Surroundings): void {
  const Query = z.strictObject({
    months: z.coerce
      .number()
      .int()
      .min(1, 'must be at least 1')
      .max(120, 'must be at most 120')
      .default(12),
    currency: currency.default(config.currency),
  });
  app.get('/summary/monthly', async (request) => {
    const query = parse(Query, request.query, 'query');
    const last = monthOf(now());
    const months = monthsUntil(last, query.months);
    return fillGaps(months, await ledger.totals(months[0] ?? last, last, query.currency));
  });
}

/** A chart wants every month, also one in which nothing happened. */
export function fillGaps(months: Month[], totals: MonthlyTotal[]): MonthlyTotal[] {
  const known = new Map(totals.map((total) => [total.month, total]));
  return months.map((month) => known.get(month) ?? { month, income_cents: 0, expenses_cents: 0 });
}
