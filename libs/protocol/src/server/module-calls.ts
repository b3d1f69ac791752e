/** Bundles: uploaded in pieces under their content hash, and fetched in pieces by workers. */
import { createHash } from 'node:crypto';
import {
  asModuleHash,
  FunctionNotFoundError,
  InvalidArgumentError,
  LimitExceededError,
} from '@spillway/kernel';
import { MODULE_BYTES_MAX } from '@spillway/messages';
import { spillway } from '@spillway/proto';
import { hash } from '../from-wire/checks.js';
import type { CallFactory, ServedCall } from './calls.js';
import type { SchedulerHandlers } from './scheduler-handlers.js';

const wire = spillway.v1;
const methods = wire.SchedulerService.prototype;
export const MODULE_CHUNK_BYTES = 512 * 1024;

export function moduleCalls(calls: CallFactory, handlers: SchedulerHandlers): Record<string, ServedCall> {
  return {
    uploadModule: calls.clientStream(
      methods.uploadModule,
      wire.UploadModuleRequest,
      wire.UploadModuleResponse,
      async (parts) => {
        const { moduleHash, bytes } = await collect(parts);
        await handlers.storeModule(asModuleHash(moduleHash), bytes);
        return {};
      },
    ),
    hasModule: calls.unary(methods.hasModule, wire.HasModuleRequest, wire.HasModuleResponse, (request) => {
      const moduleHash = asModuleHash(hash(request.moduleHash, 'module_hash'));
      return { stored: handlers.findModule(moduleHash) !== undefined };
    }),
    fetchModule: calls.serverStream(
      methods.fetchModule,
      wire.FetchModuleRequest,
      wire.FetchModuleResponse,
      (request) => {
        const moduleHash = hash(request.moduleHash, 'module_hash');
        const bytes = handlers.findModule(asModuleHash(moduleHash));
        if (bytes !== undefined) return chunksOf(bytes).map((chunk) => ({ chunk }));
        throw new FunctionNotFoundError(`No module with the hash ${moduleHash} was uploaded.`, {
          details: { moduleHash },
        });
      },
    ),
  };
}

/** Views of at most `MODULE_CHUNK_BYTES`; one empty chunk for no bytes. */
export function chunksOf(bytes: Uint8Array): Uint8Array[] {
  const count = Math.max(1, Math.ceil(bytes.length / MODULE_CHUNK_BYTES));
  return Array.from({ length: count }, (_, index) =>
    bytes.subarray(index * MODULE_CHUNK_BYTES, (index + 1) * MODULE_CHUNK_BYTES),
  );
}

async function collect(
  parts: AsyncIterable<spillway.v1.UploadModuleRequest>,
): Promise<{ moduleHash: string; bytes: Uint8Array }> {
  let moduleHash: string | undefined;
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const part of parts) {
    moduleHash ??= hash(part.moduleHash, 'module_hash');
    length += part.chunk.length;
    if (length > MODULE_BYTES_MAX) {
      throw new LimitExceededError(
        `A module is at most ${MODULE_BYTES_MAX} bytes. Leave large packages external.`,
      );
    }
    chunks.push(part.chunk);
  }
  const bytes = Buffer.concat(chunks, length);
  const actual = createHash('sha256').update(bytes).digest('hex');
  if (moduleHash === actual) return { moduleHash, bytes };
  throw new InvalidArgumentError(
    `The ${length} bytes of the module have the SHA-256 ${actual}, not ${moduleHash ?? '(none)'} as was said.`,
    { details: { field: 'module_hash', problem: 'does not match the bytes' } },
  );
}
