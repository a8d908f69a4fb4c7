import { setTimeout as sleep } from 'node:timers/promises';

const FIRST_MS = 250;
const LONGEST_MS = 5_000;

export const delayMs = (attempt: number): number => Math.min(FIRST_MS * 2 ** attempt, LONGEST_MS);

export type Retry = {
  readonly signal: AbortSignal;
  readonly failed: (error: unknown, waitMs: number) => void;
  readonly wait?: (ms: number, signal: AbortSignal) => Promise<void>;
};

const realWait = async (ms: number, signal: AbortSignal): Promise<void> => {
  await sleep(ms, undefined, { signal });
};

/** Tries until it works or the signal aborts, waiting longer after each failure. */
export async function untilItWorks<T>(work: () => Promise<T>, retry: Retry): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    retry.signal.throwIfAborted();
    try {
      return await work();
    } catch (error) {
      const waitMs = delayMs(attempt);
      retry.failed(error, waitMs);
      await (retry.wait ?? realWait)(waitMs, retry.signal);
    }
  }
}
