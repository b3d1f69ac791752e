/** The scheduler's journal: what it says, its files, and making them smaller. */
export { compact, compactInThread, runCompactionThread, type Compact } from './compaction.js';
export { FileJournal, type FileJournalOptions, type OpenedJournal } from './file-journal.js';
export type { Damage } from './journal-files.js';
