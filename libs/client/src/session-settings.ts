/** What a client can be told that is not about its connections. */
import { INLINE_ARGUMENT_BYTES_MAX } from '@spillway/messages';

export interface SessionSettings {
  /** Arguments that encode to more travel outside of the graph. */
  readonly inlineArgumentBytesMax: number;
  /** Most encoded bytes that a `gather` iterator fetches ahead. */
  readonly gatherWindowBytes: number;
}

export const DEFAULT_SESSION_SETTINGS: SessionSettings = {
  inlineArgumentBytesMax: INLINE_ARGUMENT_BYTES_MAX,
  gatherWindowBytes: 64 * 1024 * 1024,
};
