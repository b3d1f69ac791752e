import { createHash } from 'node:crypto';
import { asModuleHash, type ModuleHash } from '@spillway/kernel';

/** Name of a bundle in the cluster: the SHA-256 of its bytes, in hex. */
export function moduleHashOf(bytes: Uint8Array): ModuleHash {
  return asModuleHash(createHash('sha256').update(bytes).digest('hex'));
}
