import { fork } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, mkdir, readdir, readFile, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { asClientId, asTaskKey } from '@spillway/kernel';
import type { JournalRecord } from '@spillway/messages';
import { systemTimers } from '@spillway/platform';
import { bundleThreadEntry, TempFolder } from '@spillway/testkit';
import { compact, compactInThread } from './compaction.js';
import { FileJournal, type FileJournalOptions, type OpenedJournal } from './file-journal.js';
import { aSpec } from './journal-records.spec-d.js';
import { frameWithBody } from './testing.spec-d.js';

const finished = (key: string): JournalRecord => ({
  type: 'task-finished',
  key: asTaskKey(key),
  nbytes: 1,
  workers: ['n1'],
});
const made = (...keys: readonly string[]): JournalRecord => ({
  type: 'tasks-made',
  submission: 1,
  tasks: keys.map((key, order) => ({ spec: aSpec(key), order })),
});

const open = (folder: string, options: Partial<FileJournalOptions> = {}): Promise<OpenedJournal> =>
  FileJournal.open({
    folder,
    timers: systemTimers,
    compact,
    onFailed: (error) => {
      throw error;
    },
    onCompactionFailed: (error) => {
      throw error;
    },
    ...options,
  });

const written = (journal: FileJournal): Promise<void> =>
  new Promise((resolve) => journal.afterwards(resolve));
const keysOf = ({ state }: OpenedJournal): string[] =>
  [...state.records()].flatMap((record) => (record.type === 'task-finished' ? [record.key] : []));
/** What is there after the scheduler has ended: opened and closed again. */
async function keysIn(folder: string): Promise<string[]> {
  const opened = await open(folder);
  await opened.journal.close({ keep: true });
  return keysOf(opened);
}
const filesIn = async (folder: string): Promise<string[]> => (await readdir(folder)).sort();

test('what was appended is there when the journal is opened again', async () => {
  await using temp = await TempFolder.create();
  const folder = temp.join('journal');
  const first = await open(folder);
  expect(first.state.life).toBe(0);
  first.journal.append([{ type: 'scheduler-started', life: 1, lastSubmission: 0 }, made('a', 'b')]);
  first.journal.append([finished('a')]);
  await first.journal.close({ keep: true });

  const second = await open(folder);
  expect(second.damage).toBeUndefined();
  expect(second.state).toMatchObject({ life: 1, taskCount: 2 });
  second.journal.append([finished('b')]);
  await second.journal.close({ keep: true });
  const third = await open(folder);
  expect(keysOf(third)).toEqual(['a', 'b']);
  await third.journal.close({ keep: false });
  expect(await readdir(temp.path)).toEqual([]);
});

test('who waits is called when the file has it, in order, and at once when nothing is outstanding', async () => {
  await using temp = await TempFolder.create();
  const { journal } = await open(temp.path);
  const calls: string[] = [];
  journal.append([made('a')]);
  journal.afterwards(() => calls.push('first'));
  journal.append([finished('a')]);
  expect(calls).toEqual([]);
  await written(journal);
  expect(calls).toEqual(['first']);
  const size = (await stat(temp.join('segment-00000001'))).size;
  journal.afterwards(() => calls.push('second'));
  expect(calls).toEqual(['first', 'second']);
  await journal.close({ keep: true });
  expect((await stat(temp.join('segment-00000001'))).size).toBe(size);
});

test('a torn end is cut off, wherever it is torn, and the journal goes on behind it', async () => {
  await using temp = await TempFolder.create();
  const whole = temp.join('whole');
  const { journal } = await open(whole);
  journal.append([made('a', 'b')]);
  await written(journal);
  const path = join(whole, 'segment-00000001');
  const before = (await stat(path)).size;
  journal.append([finished('a')]);
  await journal.close({ keep: true });
  const bytes = await readFile(path);

  for (let length = before; length < bytes.length; length++) {
    await truncate(path, length);
    const torn = await open(whole);
    expect(torn.state.taskCount).toBe(2);
    expect(torn.damage?.droppedBytes ?? 0).toBe(length - before);
    torn.journal.append([finished('b')]);
    await torn.journal.close({ keep: true });
    const next = await open(whole);
    expect([next.damage, keysOf(next)]).toEqual([undefined, ['b']]);
    await next.journal.close({ keep: true });
    for (const name of await readdir(whole))
      if (name !== 'segment-00000001') await truncate(join(whole, name), 0);
    await writeFile(path, bytes);
  }
});

test('damage in the middle ends what is known there: what came after may depend on it', async () => {
  await using temp = await TempFolder.create();
  const first = await open(temp.path, { segmentBytes: 1 });
  for (const key of ['a', 'b', 'c']) {
    first.journal.append([made(key), finished(key)]);
    await written(first.journal);
  }
  await first.journal.close({ keep: true });
  const middle = temp.join('segment-00000002');
  const bytes = await readFile(middle);
  bytes[bytes.length - 1]! ^= 1;
  await writeFile(middle, bytes);

  const second = await open(temp.path);
  expect(keysOf(second)).toEqual(['a']);
  expect(second.damage).toMatchObject({ path: middle, offset: 8 });
  await second.journal.close({ keep: true });
  expect(await keysIn(temp.path)).toEqual(['a']);
});

test('full segments become one base, in a thread, while more is appended', async () => {
  await using temp = await TempFolder.create();
  const entry = await bundleThreadEntry(
    `import { runCompactionThread } from '@spillway/scheduler-journal'; await runCompactionThread();`,
    __dirname,
  );
  const first = await open(temp.path, {
    segmentBytes: 2000,
    compactedBytesMin: 6000,
    compact: compactInThread(entry),
  });
  for (let round = 0; round < 100; round++) {
    const key = `k${round}`;
    first.journal.append([made(key), finished(key)]);
    if (round % 2 === 0) first.journal.append([{ type: 'keys-forgotten', keys: [asTaskKey(key)] }]);
    await written(first.journal);
  }
  await first.journal.compacted();
  const files = await filesIn(temp.path);
  expect(files.filter((name) => name.startsWith('base-'))).toHaveLength(1);
  expect(files.length).toBeLessThan(15);
  await first.journal.close({ keep: true });

  const second = await open(temp.path);
  expect(keysOf(second)).toEqual(Array.from({ length: 50 }, (_, i) => `k${2 * i + 1}`));
  await second.journal.close({ keep: true });
}, 60_000);

test('a compaction that fails loses nothing, and is tried again', async () => {
  await using temp = await TempFolder.create();
  const failures: unknown[] = [];
  let isFailing = true;
  const { journal } = await open(temp.path, {
    segmentBytes: 1,
    compactedBytesMin: 1,
    compact: (folder, upTo) => (isFailing ? Promise.reject(new Error('no')) : compact(folder, upTo)),
    onCompactionFailed: (error) => failures.push(error),
  });
  for (const key of ['a', 'b', 'c', 'd']) {
    journal.append([made(key), finished(key)]);
    await written(journal);
    await journal.compacted();
    isFailing = failures.length < 2;
  }
  await journal.close({ keep: true });
  expect(failures.length).toBeGreaterThan(0);
  expect((await filesIn(temp.path)).some((name) => name.startsWith('base-'))).toBe(true);
  expect(await keysIn(temp.path)).toEqual(['a', 'b', 'c', 'd']);
});

test('an unfinished base is nothing', async () => {
  await using temp = await TempFolder.create();
  const { journal } = await open(temp.path);
  journal.append([made('a'), finished('a')]);
  await journal.close({ keep: true });
  await writeFile(temp.join('base-00000001.new'), 'SPWJ');
  expect(await keysIn(temp.path)).toEqual(['a']);
});

test('a folder in use by a process that lives is refused, one of a dead process is not', async () => {
  await using temp = await TempFolder.create();
  const entry = await bundleThreadEntry(
    `import { FileJournal } from '@spillway/scheduler-journal';
     import { systemTimers } from '@spillway/platform';
     const [folder] = process.argv.slice(2);
     const { journal } = await FileJournal.open({ folder, timers: systemTimers });
     journal.append([{ type: 'client-came', clientId: 'c1' }]);
     journal.afterwards(() => process.send('open'));
     process.on('message', () => undefined);`,
    __dirname,
  );
  const child = fork(fileURLToPath(entry), [temp.path]);
  await once(child, 'message');
  await expect(open(temp.path)).rejects.toMatchObject({
    code: 'PROGRAM_START_FAILED',
    message: expect.stringContaining(String(child.pid)) as unknown,
  });
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
  const { state, journal } = await open(temp.path);
  expect([...state.records()]).toContainEqual({ type: 'client-came', clientId: asClientId('c1') });
  await journal.close({ keep: false });
}, 60_000);

test('what a newer version wrote is refused and left as it is', async () => {
  await using temp = await TempFolder.create();
  const { journal } = await open(temp.path);
  await journal.close({ keep: true });
  // Field 999 of the oneof: a kind of record that this version does not have.
  await appendFile(temp.join('segment-00000001'), frameWithBody(Buffer.from('0a05ba3e026869', 'hex')));
  const size = (await stat(temp.join('segment-00000001'))).size;
  await expect(open(temp.path)).rejects.toMatchObject({ code: 'PROGRAM_START_FAILED' });
  expect((await stat(temp.join('segment-00000001'))).size).toBe(size);
});

test('a disk that fails ends the journal: those who wait go on, and nothing half true is left', async () => {
  await using temp = await TempFolder.create();
  const failure = new Promise<unknown>((resolve) => {
    void (async () => {
      const { journal } = await open(temp.join('journal'), { segmentBytes: 1, onFailed: resolve });
      // The next segment cannot be made: a folder is in its place.
      await mkdir(temp.join('journal', 'segment-00000002'));
      journal.append([made('a')]);
      await written(journal);
      journal.append([made('b')]);
      await written(journal);
    })();
  });
  await expect(failure).resolves.toMatchObject({ code: 'EEXIST' });
  expect(await readdir(temp.path)).toEqual([]);
});
