import { LimitExceededError } from '@spillway/kernel';

/** Tells "serves enough others now, ask again" from limits that asking again does not mend. */
const BUSY_LIMIT = 'transfers';
/** When to ask again, for callers that do not know better. */
const RETRY_AFTER_MS = '50';

export const busyError = (message: string): LimitExceededError =>
  new LimitExceededError(message, { details: { limit: BUSY_LIMIT, retryAfterMs: RETRY_AFTER_MS } });

export const isBusy = (error: unknown): boolean =>
  error instanceof LimitExceededError && error.details['limit'] === BUSY_LIMIT;
