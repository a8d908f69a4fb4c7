import { expect, test } from 'vitest';
import { untilItWorks } from '../../src/backoff.ts';

test('work is repeated with growing pauses until it succeeds', async () => {
  const waits: number[] = [];
  let attempts = 0;
  const work = async () => {
    attempts += 1;
    if (attempts <= 7) throw new Error(`attempt ${attempts}`);
    return attempts;
  };
  const wait = async (ms: number) => void waits.push(ms);
  const signal = new AbortController().signal;
  expect(await untilItWorks(work, { signal, failed: () => {}, wait })).toBe(8);
  expect(waits).toEqual([250, 500, 1000, 2000, 4000, 5000, 5000]);
});

test('each failure is reported with its error', async () => {
  const failures: unknown[] = [];
  const stop = new AbortController();
  const failed = (error: unknown) => {
    failures.push(error);
    stop.abort(new Error('stopped'));
  };
  const gone = new Error('gone');
  const work = () => Promise.reject(gone);
  await expect(untilItWorks(work, { signal: stop.signal, failed })).rejects.toThrow();
  expect(failures).toEqual([gone]);
});

test('nothing is tried once the signal has aborted', async () => {
  const work = () => Promise.reject(new Error('must not run'));
  const signal = AbortSignal.abort(new Error('stopped'));
  await expect(untilItWorks(work, { signal, failed: () => {} })).rejects.toThrow('stopped');
});
