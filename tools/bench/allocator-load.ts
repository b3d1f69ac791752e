/**
 * One load on the allocator, in a process of its own whose environment decides which allocator it is. Bundled and forked by
 * allocator.ts; the argument names the load, the answer goes over IPC.
 */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { ownMemory, processMalloc } from '@spillway/platform';

/** Process memory at four moments, and what the load cost. */
export interface LoadResult {
  readonly kind: string;
  readonly baseBytes: number;
  readonly peakBytes: number;
  readonly droppedBytes: number;
  /** Absent where this allocator is not trimmed. */
  readonly trimmedBytes?: number;
  readonly trimMs?: number;
  readonly loadMs: number;
  readonly cpuMs: number;
}

const KiB = 1024;
const MiB = 1024 * KiB;
/** Until memory that was freed in the background has gone back, or never will: jemalloc's own decay takes 10 s. */
const SETTLE_MS = 3000;
/** A round of a load that keeps nothing: with the dearest setting it takes seconds. */
const COST_BYTES = 256 * MiB;
/** Page faults cost several times as much while others use the machine: of such loads the best round counts. */
const ROUNDS: Readonly<Record<string, number>> = { stream: 5, fill: 5 };

/** Each gives back what it keeps. */
const LOADS: Readonly<Record<string, () => readonly unknown[] | Promise<readonly unknown[]>>> = {
  pieces: receivePieces,
  stream: passPiecesOn,
  fill: fillPieces,
  small: fragmentBySmallBuffers,
  shared: makeSharedBuffers,
  values: churnValues,
};

/** 1 GiB through a socket, all of it held until the end: libuv allocates 64 KiB for each read, and Node keeps what was filled. */
async function receivePieces(): Promise<readonly unknown[]> {
  const received: Buffer[] = [];
  await receive(1024 * MiB, (piece) => received.push(piece));
  return [];
}

/** Each piece dropped as it comes: what receiving costs. */
async function passPiecesOn(): Promise<readonly unknown[]> {
  await receive(COST_BYTES, () => undefined);
  return [];
}

async function receive(totalBytes: number, onPiece: (piece: Buffer) => void): Promise<void> {
  const server = createServer((socket) => void sendAll(socket, totalBytes)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  socket.on('data', onPiece);
  await once(socket, 'end');
  server.close();
}

async function sendAll(socket: Socket, totalBytes: number): Promise<void> {
  const piece = Buffer.alloc(64 * KiB, 1);
  for (let sent = 0; sent < totalBytes; sent += piece.length)
    if (!socket.write(piece)) await once(socket, 'drain');
  socket.end();
}

/** The same without a network, one behind the other: what allocating alone costs. */
function fillPieces(): readonly unknown[] {
  for (let filled = 0; filled < COST_BYTES; filled += 64 * KiB) Buffer.allocUnsafeSlow(64 * KiB).fill(1);
  return [];
}

function fragmentBySmallBuffers(): readonly unknown[] {
  const all = Array.from({ length: 300_000 }, () => Buffer.allocUnsafeSlow(900).fill(1));
  return all.filter((_, index) => index % 1000 === 0);
}

function makeSharedBuffers(): readonly unknown[] {
  for (let made = 0; made < 200; made++) new Uint8Array(new SharedArrayBuffer(5 * MiB)).fill(1);
  return [];
}

/** A store: values of 1 KiB to 4 MiB come, and when it holds 400 MiB half of them go, not in their order. At last one in ten is left. */
function churnValues(): readonly unknown[] {
  const random = seeded(7);
  let held: Uint8Array[] = [];
  for (let round = 0; round < 5; round++) {
    let heldBytes = held.reduce((sum, value) => sum + value.length, 0);
    while (heldBytes < 400 * MiB) {
      const value = new Uint8Array(new SharedArrayBuffer(Math.floor(KiB * 4096 ** random()))).fill(1);
      held.push(value);
      heldBytes += value.length;
    }
    held = held.filter(() => random() < 0.5);
    collect();
  }
  return held.filter((_, index) => index % 5 === 0);
}

function seeded(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
}

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Buffers are freed in the background after a collection, some only by the next. */
async function settle(): Promise<number> {
  for (let times = 0; times < 3; times++) {
    collect();
    await wait(SETTLE_MS / 3);
  }
  return ownMemory.read().processBytes;
}

type Load = (typeof LOADS)[string];

interface Round {
  readonly kept: readonly unknown[];
  readonly loadMs: number;
  readonly cpuMs: number;
}

async function runOnce(load: Load): Promise<Round> {
  const cpuBefore = process.cpuUsage();
  const startedAt = performance.now();
  const kept = await load();
  const loadMs = performance.now() - startedAt;
  const { user, system } = process.cpuUsage(cpuBefore);
  return { kept, loadMs, cpuMs: (user + system) / 1000 };
}

async function measure(load: Load, rounds: number): Promise<LoadResult> {
  const malloc = processMalloc();
  collect();
  const baseBytes = ownMemory.read().processBytes;
  let best = await runOnce(load);
  for (let round = 1; round < rounds; round++) {
    const next = await runOnce(load);
    if (next.cpuMs < best.cpuMs) best = next;
  }
  const { kept, loadMs, cpuMs } = best;
  const droppedBytes = await settle();
  const { processPeakBytes: peakBytes } = ownMemory.read();
  const trimStartedAt = performance.now();
  const isTrimmed = await malloc.trim();
  const trimMs = performance.now() - trimStartedAt;
  const { processBytes: trimmedBytes } = ownMemory.read();
  // Until here they have to live.
  kept.at(0);
  return {
    kind: malloc.kind,
    baseBytes,
    peakBytes,
    droppedBytes,
    ...(isTrimmed ? { trimmedBytes, trimMs } : {}),
    loadMs,
    cpuMs,
  };
}

const name = process.argv[2] ?? '';
const load = LOADS[name];
if (load === undefined) throw new Error(`There is no load ${name}.`);
process.send?.(await measure(load, ROUNDS[name] ?? 1));
process.disconnect();
