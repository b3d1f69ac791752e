import { LimitExceededError } from '@spillway/kernel';

/** Tells "serves enough others now, ask again" from limits that asking again does not mend. */
const BUSY_LIMIT = 'transfers';

export const busyError = (message: string): LimitExceededError =>
  new LimitExceededError(message, { details: { limit: BUSY_LIMIT } });

export const isBusy = (error: unknown): boolean =>
  error instanceof LimitExceededError && error.details['limit'] === BUSY_LIMIT;
