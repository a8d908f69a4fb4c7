export type Phase = 'starting' | 'ready' | 'draining';

/** Where the process is in its life; only a ready one is given traffic. */
export class Lifecycle {
  #phase: Phase = 'starting';

  get phase(): Phase {
    return this.#phase;
  }

  becomeReady(): void {
    if (this.#phase === 'starting') this.#phase = 'ready';
  }

  drain(): void {
    this.#phase = 'draining';
  }
}
