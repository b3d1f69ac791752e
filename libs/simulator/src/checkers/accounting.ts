import type { MemoryMachine } from '@spillway/worker-memory';
import type { TwoTierStore } from '@spillway/worker-store';

/** What the memory machine believes of values is what the store holds, but for what has left RAM and is not told yet. */
export function checkAccounting(machine: MemoryMachine, store: TwoTierStore): void {
  const { countedBytes, leavingBytes, keyCount } = machine.readings();
  if (keyCount !== store.keyCount)
    throw new Error(`The memory machine knows ${keyCount} values, the store holds ${store.keyCount}.`);
  const untoldBytes = countedBytes - store.managedBytes;
  if (untoldBytes < 0 || untoldBytes > leavingBytes)
    throw new Error(
      `The memory machine counts ${countedBytes} bytes in RAM, ${leavingBytes} of them leaving, the store ${store.managedBytes}.`,
    );
}
