import { expect, test } from 'vitest';
import { demoEntries } from '../../src/db/seed.ts';
import { NOW } from '../support/world.ts';

test('demo data is the same for the same day', () => {
  expect(demoEntries(NOW)).toEqual(demoEntries(NOW));
});

test('demo data covers twelve months and never the future', () => {
  const days = demoEntries(NOW).map((entry) => entry.date);
  expect(days[0]).toBe('2025-12-01');
  expect(days.at(-1)).toBe('2026-11-21');
  expect(days).toEqual([...days].sort());
});
