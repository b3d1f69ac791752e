/**
 * Every name that the field `event` of a log line can have (conventions L03). Names are stable: alerts and searches
 * depend on them. A test compares the table with the sources, in both directions; docs/events.md is generated from it.
 */
export const EVENT_NAMES = {
  // scheduler
  'worker.registered': 'A worker has registered with the scheduler and can be given tasks.',
  'worker.refused':
    'A worker may not register: its nanny reported it dead, or another of its name has replaced it. It ends.',
  'worker.lost':
    'A worker has died, or its connection was not resumed in time; its tasks go elsewhere and its values are recomputed.',
  'worker.paused': 'A worker is above its pause threshold: it finishes what it runs and starts nothing.',
  'worker.resumed': 'A paused worker has freed enough memory and starts tasks again.',
  'worker.retiring':
    'A worker is told to leave: it starts nothing more, and what only it has is copied to workers that stay.',
  'worker.retired':
    'A worker has left on purpose, with what became of its results: copied, made again, left on disk, lost.',
  'worker.retirement-blocked':
    'Results of a worker that retires have nowhere to go, with the reason. They wait for room until the deadline.',
  'cluster.draining':
    'All workers that could go on are paused; one task after the other is run all the same, where its end frees memory.',
  'cluster.memory-stuck':
    'All workers that could go on are paused, and nothing can free memory: what waits for them fails, with who holds what.',
  'task.recomputed': 'The only copy of a result was lost, so its task runs again.',
  'task.awaited':
    'The last copies of results died with a worker, whose successor may have them on disk: they are not made again yet.',
  'task.erred': 'A task has failed for good; its dependents fail with it.',
  'task.suspicious':
    'A worker died while it executed this task; with too many such deaths the task is given up.',
  'data.lost': 'Data is gone that cannot be made again: it was scattered, or its task must not run twice.',
  'graph.accepted': 'A graph was submitted and its tasks are known.',
  'graph.refused': 'A submitted graph was not taken, with the reason: a cycle, an unknown key, a conflict.',
  'client.connected': 'A client has opened or resumed its session.',
  'client.lease-started': 'The connection to a client is lost; its keys are kept until the lease is over.',
  'client.forgotten': 'A client left or its lease is over; what only it wanted is released.',
  'scheduler.recovered':
    'The scheduler was started again and knows from its journal what there was; it waits for the workers that it knew.',
  'scheduler.recovery-ended':
    'The workers of before are back, or the time to wait for them is over; what nobody brought is computed again.',
  'journal.cut':
    'The end of the journal was torn when the scheduler died, and was cut off; the line says how much.',
  'journal.failed': 'The journal cannot be written any more; the scheduler goes on without one.',
  'journal.compaction-failed': 'The journal could not be made smaller; it is tried again later.',
  'scheduler.ready': 'The scheduler serves; the line has its addresses.',
  'scheduler.closing': 'The scheduler was asked to end, with the reason, and closes in order.',
  'scheduler.closed': 'The scheduler has closed everything and ends.',
  'http.port-taken':
    'The port for pages and metrics is in use, so another one was taken; the line has its number.',
  // nanny
  'nanny.closing': 'The nanny was asked to end, with the reason, and closes its workers first.',
  'nanny.closed': 'All workers of the nanny have ended, and it ends too.',
  'worker.spawned': 'The nanny has started a worker process.',
  'worker.ready': 'A worker process serves and has registered.',
  'worker.exited': 'A worker process has ended, with the cause.',
  'worker.restarting': 'The nanny will start a worker in place of one that ended, after a wait.',
  'worker.killed': 'The nanny has killed a worker process, with the reason.',
  'worker.quarantined':
    'A worker has died so often right after its start that it is not started for a while.',
  'memory.limit':
    'What each worker of the nanny may use came to this, with what there is and the file that decided.',
  'memory.limit-changed':
    'The machine or container was resized, and with it the memory limit of workers, while they run.',
  'memory.limit-warning':
    'The memory limit that was written is more than there is, alone or for all workers together.',
  // worker
  'spill.started':
    'A worker writes values to disk: its managed memory is above target, or its process memory above spill.',
  'spill.ended': 'Process memory of a worker is low enough again; nothing more is spilled for it.',
  'spill.refused':
    'The disk takes no values, with the reason; they stay in RAM and tasks start one at a time.',
  'spill.accepted': 'The disk takes values again.',
  'spill.no-folder': 'A worker has no place on disk to spill to, with the reason; its values stay in RAM.',
  'spill.thread-ended':
    'The thread of a worker that reads and writes spilled values has ended; the next use starts another.',
  'worker.container-trouble':
    'Something went wrong in the container that the user gave a worker for its values; not again until the same has worked.',
  'worker.adopted':
    'A worker has taken over what its former life had spilled, with how many values, their bytes and the time it took.',
  'worker.values-left':
    'A worker that makes way for its next life has left its values on disk, with how many there was no time or room for.',
  'spill.leftovers-removed': 'Files that dead workers had spilled were removed; the line has their folders.',
  'memory.unmanaged':
    'Process memory is high and nothing is left to spill, with why; at most once in five minutes.',
  'memory.reclaimed': 'Memory that a worker held for nobody was given back, with how much.',
  'worker.recycling':
    'A worker has long been paused with nothing to spill; it asks for a fresh process in its place.',
  'worker.no-nanny':
    'The worker runs without a nanny; the line says what it lacks, such as being started again.',
  'worker.closing': 'The worker was asked to end, with the reason, and closes in order.',
  'worker.closed': 'The worker has closed everything and ends.',
  'task.log': 'A line that user code wrote to its console or logger, with the key of its task.',
  'link.disconnected': 'The connection to the scheduler is lost; resuming is tried.',
  'link.resumed': 'The connection to the scheduler is back, and nothing was lost.',
  'link.expired':
    'The scheduler does not know the session any more (it restarted); the program registers as new.',
} as const;

export type EventName = keyof typeof EVENT_NAMES;
