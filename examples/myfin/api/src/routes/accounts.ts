import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { Surroundings } from '../app.ts';
import { parse } from '../errors.ts';
import { ACCOUNT_KINDS } from '../ledger.ts';
import { currency, text } from './inputs.ts';

export function addAccounts(app: FastifyInstance, { ledger, config }: Surroundings): void {
  const NewAccount = z.strictObject({
    name: text(80),
    kind: z.enum(ACCOUNT_KINDS, `must be one of ${ACCOUNT_KINDS.join(', ')}`),
    currency: currency.default(config.currency),
  });
  app.get('/accounts', async () => ledger.accounts());
  app.post('/accounts', async (request, reply) => {
    const account = await ledger.addAccount(parse(NewAccount, request.body, 'body'));
    return reply.status(201).send(account);
  });
}
