/** Name of a bundle's file in the module folder, and the check that makes it safe to use as one. */
import type { ModuleHash } from '@spillway/kernel';

const SHA256_HEX = /^[0-9a-f]{64}$/;

/** Hashes come from the network: one that is not a SHA-256 in hex must never become part of a path. */
export const isModuleHash = (hash: string): boolean => SHA256_HEX.test(hash);

/** Requires: `isModuleHash(hash)`. */
export const bundleFileName = (hash: ModuleHash): string => `${hash}.cjs`;
