/** Reads the process memory (RSS) of one process, in bytes; `undefined` when it is gone. */
export interface ProcessMemory {
  read(pid: number): Promise<number | undefined>;
}
