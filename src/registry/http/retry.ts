import { setTimeout as sleep } from 'node:timers/promises';
import type { Call } from '../../call.ts';
import { OcitsError } from '../../errors.ts';

/** How patiently a passing failure is met. Times in milliseconds. */
export interface RetryPolicy {
  /** How often in all a request is tried without any progress in between. */
  readonly attempts: number;
  /** The first delay; each later one is twice as long, up to `maxDelayMs`, with jitter. */
  readonly baseDelayMs: number;
  readonly maxDelayMs: number;
  /** A `Retry-After` longer than this is an error at once. */
  readonly maxRetryAfterMs: number;
  /** How long an answer, or the next bytes of a body, may take. */
  readonly stallMs: number;
}

export const DEFAULT_RETRY: RetryPolicy = {
  attempts: 6,
  baseDelayMs: 250,
  maxDelayMs: 8_000,
  maxRetryAfterMs: 120_000,
  stallMs: 30_000,
};

/** Thrown in place of `error` by an attempt that may go better the next time. */
export class PassingFailure extends Error {
  readonly error: OcitsError;
  /** What `Retry-After` says. */
  readonly afterMs: number | undefined;

  constructor(error: OcitsError, afterMs?: number) {
    super(error.message);
    this.error = error;
    this.afterMs = afterMs;
  }
}

/** A call, and how patient it is. */
export interface RetryContext extends Call {
  readonly policy: RetryPolicy;
}

/**
 * Runs `attempt` until it succeeds, fails with anything but a PassingFailure, or `policy.attempts` are used up: then
 * the OcitsError of the last failure is thrown. Every wait is reported as a RetryEvent and ended by the signal
 * (`aborted`).
 */
export async function withRetry<T>(
  what: string,
  context: RetryContext,
  attempt: () => Promise<T>,
): Promise<T> {
  const backoff = new Backoff(what, context);
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      await backoff.wait(error);
    }
  }
}

/** Counts the failures of one piece of work, and waits between them. */
export class Backoff {
  readonly #what: string;
  readonly #context: RetryContext;
  #failures = 0;

  constructor(what: string, context: RetryContext) {
    this.#what = what;
    this.#context = context;
  }

  /** The work got on: earlier failures do not count any more. */
  progressed(): void {
    this.#failures = 0;
  }

  /** Waits before the next attempt, or throws: `error` itself, where it does not pass or came too often. */
  async wait(error: unknown): Promise<void> {
    const { policy, emit, signal } = this.#context;
    if (!(error instanceof PassingFailure)) throw error;
    this.#failures++;
    const { afterMs } = error;
    if (this.#failures >= policy.attempts || (afterMs ?? 0) > policy.maxRetryAfterMs) throw error.error;
    const delayMs = Math.round(Math.max(afterMs ?? 0, this.#delay()));
    emit({
      type: 'retry',
      what: this.#what,
      reason: error.error.message,
      attempt: this.#failures + 1,
      delayMs,
    });
    try {
      await sleep(delayMs, undefined, { signal });
    } catch (cause) {
      throw new OcitsError('aborted', `${this.#what}: interrupted`, { cause });
    }
  }

  #delay(): number {
    const { baseDelayMs, maxDelayMs } = this.#context.policy;
    const full = Math.min(baseDelayMs * 2 ** (this.#failures - 1), maxDelayMs);
    return full * (0.5 + Math.random() / 2);
  }
}

/** RFC 9110 section 10.2.3: `Retry-After` in milliseconds from now; undefined where it is absent or unreadable. */
export function parseRetryAfter(value: string | undefined, now = Date.now()): number | undefined {
  if (value === undefined) return undefined;
  if (/^\d+$/.test(value.trim())) return Number(value) * 1000;
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(date - now, 0);
}
