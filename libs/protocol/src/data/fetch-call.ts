/**
 * One fetch, from the receiver's side: opens the call, puts together what arrives, and ends in exactly one outcome,
 * whatever the peer does. It never rejects.
 */
import { type ClientReadableStream, Metadata } from '@grpc/grpc-js';
import { DeadlineExceededError, InvariantError, UnavailableError } from '@spillway/kernel';
import type { GatherOutcome } from '@spillway/ports';
import { fromServiceError } from '../status.js';
import { isBusy } from './busy.js';
import { FetchAnswer, type WantedValue } from './fetch-answer.js';
import { IdleTimer } from './pacing.js';
import type { PeerLease } from './peer-channels.js';
import {
  TRANSFER_DEADLINE_MS,
  TRANSFER_IDLE_MS,
  type TransferOptions,
  whenAborted,
} from './transfer-options.js';
import type { DataMethods, FetchStep } from './wire.js';

export interface FetchCall {
  readonly openLease: () => PeerLease;
  /** For messages: who is asked. */
  readonly peer: string;
  readonly method: DataMethods['fetchValues'];
  readonly request: Buffer;
  readonly wanted: readonly WantedValue[];
  readonly options: TransferOptions;
}

export async function fetchOver(fetch: FetchCall): Promise<GatherOutcome> {
  const answer = new FetchAnswer(fetch.wanted);
  try {
    using lease = fetch.openLease();
    await readOver(lease, fetch, answer);
    answer.checkComplete();
    return { type: 'gather-success', values: answer.values, missing: answer.missing };
  } catch (error) {
    if (isBusy(error)) return { type: 'gather-busy' };
    const message = `Fetching from ${fetch.peer} failed: ${error instanceof Error ? error.message : String(error)}`;
    return { type: 'gather-network-failure', values: answer.values, message };
  }
}

async function readOver(lease: PeerLease, fetch: FetchCall, answer: FetchAnswer): Promise<void> {
  try {
    await lease.connected();
    await readInto(answer, lease, fetch);
  } catch (error) {
    if (!isBusy(error)) lease.discard();
    throw error;
  }
}

async function readInto(answer: FetchAnswer, lease: PeerLease, fetch: FetchCall): Promise<void> {
  const { options, peer } = fetch;
  const idleMs = options.idleMs ?? TRANSFER_IDLE_MS;
  const call = open(lease, fetch);
  await new Promise<void>((resolve, reject) => {
    const idle = new IdleTimer(idleMs, () =>
      end(new DeadlineExceededError(`${peer} has sent nothing for ${idleMs} ms.`)),
    );
    const aborted = whenAborted([options.signal, lease.signal], (reason) =>
      end(reason instanceof Error ? reason : new UnavailableError('The fetch was aborted.')),
    );
    let isOver = false;
    function end(error?: Error): void {
      if (isOver) return;
      isOver = true;
      idle.stop();
      aborted[Symbol.dispose]();
      if (error === undefined) {
        resolve();
        return;
      }
      call.cancel();
      reject(error);
    }
    call.on('data', (steps: FetchStep[]) => {
      if (isOver) return;
      idle.touch();
      try {
        for (const step of steps) answer.take(step);
      } catch (error) {
        end(error instanceof Error ? error : new InvariantError(String(error)));
      }
    });
    // Must stay attached: cancelling makes the call emit an error later on.
    call.on('error', (error) => end(fromServiceError(error)));
    call.on('end', () => end());
  });
}

function open(lease: PeerLease, { method, request, options }: FetchCall): ClientReadableStream<FetchStep[]> {
  return lease.client.makeServerStreamRequest(
    method.path,
    method.requestSerialize,
    method.responseDeserialize,
    request,
    new Metadata(),
    { deadline: Date.now() + (options.deadlineMs ?? TRANSFER_DEADLINE_MS) },
  );
}
