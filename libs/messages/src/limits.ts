/** Bounds that every program of a cluster agrees on. Messages over a bound are refused, never cut. */

/** Version of what is said between the programs. Majors must match (`VERSION_MISMATCH`); minors may differ. */
export const PROTOCOL_VERSION = { major: 1, minor: 0 } as const;

/** Longest key, in UTF-16 code units. */
export const KEY_LENGTH_MAX = 1024;
/** Most dependencies of one task. */
export const DEPENDENCIES_MAX = 100_000;
/**
 * Longest that the keys of one task's dependencies are together, in bytes of UTF-8. Two lists of them, the holders and the
 * arguments have to fit into the one message that hands the task to a worker.
 */
export const DEPENDENCY_KEYS_BYTES_MAX = 5 * 1024 * 1024;
/** Most retries of one task. */
export const RETRIES_MAX = 1_000_000;
/** Largest part of a graph on the wire, unless it has a single task; graphs of any size travel in parts. */
export const GRAPH_PART_BYTES_MAX = 1024 * 1024;
/** Largest single control message (one batch of a control stream, one unary request or reply). */
export const CONTROL_MESSAGE_BYTES_MAX = 16 * 1024 * 1024;
/** Arguments above this travel through the store (the client scatters them), not inside the graph. */
export const INLINE_ARGUMENT_BYTES_MAX = 64 * 1024;
/**
 * Largest encoded arguments of one task. What is large and can travel by itself does; this bounds what is left, such as
 * the places of very many futures.
 */
export const ARGUMENTS_BYTES_MAX = 1024 * 1024;
/**
 * Results up to this ride on the control streams to clients that want them. A client keeps what it was sent: held results of
 * 4 KiB filled its memory, and cost the scheduler half as much again.
 */
export const INLINE_RESULT_BYTES_MAX = 1024;
/**
 * Encoded values up to this lie in ordinary memory, each in a buffer of its own, and are copied where they cross threads, many
 * at a time. Larger ones lie in a shared buffer of their own: it crosses uncopied, but to make it, hand it over alone and
 * collect it in every thread costs as much as copying 32 to 64 KiB (docs/performance.md).
 */
export const SMALL_VALUE_BYTES = 32 * 1024;
/** Chunk of the data streams. */
export const DATA_CHUNK_BYTES = 512 * 1024;
/** Largest message of a data stream: a chunk and its slack. */
export const DATA_MESSAGE_BYTES_MAX = 2 * 1024 * 1024;
/** Largest module bundle. */
export const MODULE_BYTES_MAX = 64 * 1024 * 1024;
/** Longest error message and longest stack kept, in UTF-16 code units. */
export const ERROR_TEXT_LENGTH_MAX = 10_000;
/** Largest encoded thrown value that travels with an error. */
export const THROWN_VALUE_BYTES_MAX = 64 * 1024;
