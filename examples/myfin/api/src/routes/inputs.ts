import { z } from 'zod';

// Sums of this many cents over millions of rows stay exact in a JavaScript number.
const MAX_CENTS = 1_000_000_000_000;

export const cents = z
  .int('must be a whole number of cents')
  .min(-MAX_CENTS, 'is too small')
  .max(MAX_CENTS, 'is too large');

export const month = z
  .string()
  .regex(/^(19|20)\d\d-(0[1-9]|1[0-2])$/, 'must be a month such as 2026-11');

export const day = z.iso
  .date({ error: 'must be a date such as 2026-11-23', abort: true })
  .refine((date) => date >= '1970-01-01' && date < '2100-01-01', 'must be from 1970 to 2099');

export const currency = z.string().regex(/^[A-Z]{3}$/, 'must be a currency code such as EUR');

export const text = (max: number) =>
  z.string().trim().min(1, 'must not be empty').max(max, `must have at most ${max} characters`);

export const id = z.coerce.number().int().positive('must be the number of an account');
