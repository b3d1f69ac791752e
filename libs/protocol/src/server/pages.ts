import { InvalidArgumentError } from '@spillway/kernel';

interface PageRequest {
  readonly pageSize: number;
  readonly pageToken: string;
}

/** One page of a list and the token of the next, which is empty on the last page. */
export function pageOf<T>(
  items: readonly T[],
  { pageSize, pageToken }: PageRequest,
  sizeMax: number,
): { readonly items: readonly T[]; readonly nextPageToken: string } {
  if (pageSize < 0) throw invalidPage('page_size', 'must not be negative');
  if (!/^\d{0,15}$/.test(pageToken)) throw invalidPage('page_token', 'is not one that was given out');
  const start = Number(pageToken);
  const end = start + (pageSize === 0 ? sizeMax : Math.min(pageSize, sizeMax));
  return { items: items.slice(start, end), nextPageToken: end < items.length ? String(end) : '' };
}

const invalidPage = (field: string, problem: string): InvalidArgumentError =>
  new InvalidArgumentError(`${field}: ${problem}.`, { details: { field, problem } });
