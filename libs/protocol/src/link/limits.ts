/** What one side keeps of a session until the other acknowledges it. Over it the session ends with LIMIT_EXCEEDED. */
export const SESSION_LIMITS = {
  unackedBatchesMax: 65_536,
  unackedBytesMax: 512 * 1024 * 1024,
} as const;
