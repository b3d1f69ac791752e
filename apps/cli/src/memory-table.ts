/** What `spillway memory` prints: each worker's memory as a bar in the founding document's colours, and in numbers. */
import Table from 'cli-table3';
import { createColors } from 'picocolors';
import { aboutBytes } from '@spillway/kernel';
import type { ClusterMemory, MemoryColour, TotalMemory, WorkerMemory } from '@spillway/client';

const BAR_WIDTH = 24;
/** Spilled values stand behind the bar, and can be many times the limit. */
const SPILLED_WIDTH_MAX = 12;

/** Told apart without colour too. */
const GLYPHS = { managed: '█', unmanagedOld: '▓', unmanagedRecent: '▒', free: '·', spilled: '░' } as const;

const STATES: Readonly<Record<MemoryColour, string>> = {
  blue: 'normal',
  orange: 'spilling',
  red: 'near its limit',
};

type Paint = Readonly<Record<MemoryColour | 'grey', (text: string) => string>>;

export interface MemoryTableOptions {
  readonly hasColours: boolean;
}

export function memoryTable({ workers, total }: ClusterMemory, { hasColours }: MemoryTableOptions): string {
  const paint = paintOf(hasColours);
  const table = new Table({
    head: [
      'name',
      'state',
      'memory',
      'process',
      'limit',
      'managed',
      'unmanaged',
      'recent',
      'hoarded',
      'spilled',
    ],
    style: { head: [], border: [], compact: true },
  });
  for (const worker of workers)
    table.push([worker.name, paint[worker.colour](stateOf(worker)), ...cells(worker, paint)]);
  if (workers.length !== 1) table.push([`${workers.length} workers`, '', ...cells(total, paint)]);
  const refusals = workers.flatMap(({ name, spillRefusedBecause }) =>
    spillRefusedBecause === undefined ? [] : [`The disk of ${name} takes no values: ${spillRefusedBecause}.`],
  );
  return [table.toString(), legend(paint), ...refusals].map((line) => `${line}\n`).join('');
}

function stateOf({ status, colour }: WorkerMemory): string {
  return status === 'running' ? STATES[colour] : status;
}

function cells(memory: WorkerMemory | TotalMemory, paint: Paint): string[] {
  const { memoryLimitBytes } = memory;
  return [
    bar(memory, paint),
    aboutBytes(memory.processBytes),
    memoryLimitBytes === false ? 'none' : aboutBytes(memoryLimitBytes),
    aboutBytes(memory.managedBytes),
    aboutBytes(memory.unmanagedOldBytes),
    aboutBytes(memory.unmanagedRecentBytes),
    aboutBytes(memory.hoardedBytes),
    aboutBytes(memory.spilledBytes),
  ];
}

/** Full at the limit, or without one at what is used. Ends of parts are rounded, not their lengths: they fit together. */
function bar(memory: WorkerMemory | TotalMemory, paint: Paint): string {
  const { processBytes, managedBytes, unmanagedOldBytes, memoryLimitBytes, spilledBytes, colour } = memory;
  const fullBytes = Math.max(1, processBytes, memoryLimitBytes || 0);
  const place = (bytes: number): number => Math.round((bytes / fullBytes) * BAR_WIDTH);
  const managedEnd = place(managedBytes);
  const oldEnd = place(managedBytes + unmanagedOldBytes);
  const processEnd = place(processBytes);
  const used =
    GLYPHS.managed.repeat(managedEnd) +
    GLYPHS.unmanagedOld.repeat(oldEnd - managedEnd) +
    GLYPHS.unmanagedRecent.repeat(Math.max(0, processEnd - oldEnd));
  const free = GLYPHS.free.repeat(BAR_WIDTH - Math.max(oldEnd, processEnd));
  return paint[colour](used) + paint.grey(free) + paint.grey(spilledBar(spilledBytes / fullBytes));
}

/** At least one glyph for anything at all, and `+` where it would be longer than there is room. */
function spilledBar(share: number): string {
  if (share <= 0) return '';
  const width = Math.max(1, Math.round(share * BAR_WIDTH));
  if (width <= SPILLED_WIDTH_MAX) return ` ${GLYPHS.spilled.repeat(width)}`;
  return ` ${GLYPHS.spilled.repeat(SPILLED_WIDTH_MAX - 1)}+`;
}

function legend(paint: Paint): string {
  const { managed, unmanagedOld, unmanagedRecent, spilled } = GLYPHS;
  const parts = `${managed} managed  ${unmanagedOld} unmanaged  ${unmanagedRecent} unmanaged recent`;
  const colours = `${paint.blue('blue')} normal, ${paint.orange('orange')} spilling, ${paint.red('red')} paused, retiring or near its limit`;
  return `${parts}  ${paint.grey(`${spilled} spilled to disk`)}   ${colours}`;
}

function paintOf(hasColours: boolean): Paint {
  const { blue, red, gray } = createColors(hasColours);
  // Of the sixteen colours none is orange; terminals without 256 show the nearest.
  const orange = (text: string): string => (hasColours ? `\u001b[38;5;208m${text}\u001b[39m` : text);
  const unlessEmpty = (paint: (text: string) => string) => (text: string) => (text === '' ? '' : paint(text));
  return {
    blue: unlessEmpty(blue),
    orange: unlessEmpty(orange),
    red: unlessEmpty(red),
    grey: unlessEmpty(gray),
  };
}
