import type { TaskKey } from '@spillway/kernel';
import type { Payload } from '@spillway/messages';

/**
 * What a simulated task returns: a digest of its key and its inputs, so that a wrong input anywhere shows in every
 * result built on it, padded to the size the workload gave the task.
 */
export function valueOf(key: TaskKey, inputDigests: readonly number[], sizeBytes: number): Payload {
  const data = new Uint8Array(Math.max(4, sizeBytes));
  new DataView(data.buffer).setUint32(0, digestOf(key, inputDigests));
  return { encoding: 'bytes', data };
}

export function digestIn(payload: Payload): number {
  return new DataView(payload.data.buffer, payload.data.byteOffset).getUint32(0);
}

export function digestOf(key: TaskKey, inputDigests: readonly number[]): number {
  let digest = 2166136261;
  for (let i = 0; i < key.length; i++) digest = Math.imul(digest ^ key.charCodeAt(i), 16777619);
  for (const input of inputDigests) digest = Math.imul(digest ^ input, 16777619);
  return digest >>> 0;
}
