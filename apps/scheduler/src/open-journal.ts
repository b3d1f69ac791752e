import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import type { JournalState } from '@spillway/messages';
import { programFiles, systemTimers } from '@spillway/platform';
import type { Logger } from '@spillway/ports';
import { compactInThread, FileJournal } from '@spillway/scheduler-journal';

export interface JournalPlace {
  /** A folder, `auto`, or `false` for no journal. */
  readonly journal: string | false;
  readonly port: number;
}

/** `undefined` for a scheduler that shall write nothing down, or that no life after it could be told from. */
export async function openJournal(
  place: JournalPlace,
  logger: Logger,
): Promise<{ readonly journal: FileJournal; readonly state: JournalState } | undefined> {
  const folder = journalFolderOf(place);
  if (folder === undefined) return undefined;
  const { journal, state, damage } = await FileJournal.open({
    folder,
    timers: systemTimers,
    compact: (inFolder, upTo) => compactInThread(programFiles().journalThread)(inFolder, upTo),
    onFailed: (err) =>
      logger.error(
        { event: 'journal.failed', err, folder },
        'the journal cannot be written any more and is gone: if the scheduler dies now, everything it knows is lost',
      ),
    onCompactionFailed: (err) =>
      logger.warn(
        { event: 'journal.compaction-failed', err, folder },
        'the journal could not be made smaller; it goes on growing until the next try',
      ),
  });
  if (damage !== undefined)
    logger.warn(
      { event: 'journal.cut', ...damage },
      'the end of the journal was not whole, as a scheduler leaves it that dies, and was cut off',
    );
  return { journal, state };
}

/** By user and port, so that the next scheduler that is started like this one finds it. */
export function journalFolderOf({ journal, port }: JournalPlace): string | undefined {
  if (journal === false) return undefined;
  if (journal !== 'auto') return journal;
  // On a port of its own choice nobody would find the next one either.
  return port === 0 ? undefined : join(tmpdir(), `spillway-journal-${userInfo().username}-${port}`);
}
