/** Instructions as the lines of golden scripts. */
import type { MemoryInstruction, MemoryNumbers } from '../instructions.js';
import type { MemoryState } from '../memory-machine.js';

export function describeInstruction(instruction: MemoryInstruction): string {
  switch (instruction.type) {
    case 'evict':
      return `evict ${instruction.keys.join(' ')} (${instruction.why})`;
    case 'collect-garbage':
      return `collect-garbage (${instruction.why})`;
    case 'set-status':
      return `set-status ${instruction.status}`;
    case 'set-serving-max':
      return `set-serving-max ${instruction.transfersMax === false ? 'off' : instruction.transfersMax}`;
    case 'set-admission':
      return `set-admission ${instruction.admission}`;
    case 'set-room':
      return `set-room ${instruction.roomBytes === false ? 'any' : instruction.roomBytes}`;
    case 'warn-unmanaged':
      return `warn-unmanaged ${instruction.why} (${describeNumbers(instruction.numbers)})`;
    case 'log-event': {
      const detail = instruction.detail === undefined ? '' : ` ${instruction.detail}`;
      return `log ${instruction.event}${detail} (${describeNumbers(instruction.numbers)})`;
    }
    default:
      return instruction.type;
  }
}

function describeNumbers(numbers: MemoryNumbers): string {
  const { threshold, thresholdBytes } = numbers;
  const line = threshold === undefined ? '' : `, ${threshold} is ${thresholdBytes ?? 'off'}`;
  return (
    `process ${numbers.processBytes} of ${numbers.limitBytes}${line}, counted ${numbers.countedBytes}, ` +
    `live ${numbers.liveBytes}, spilled ${numbers.spilledBytes}`
  );
}

export const describeReadings = (readings: MemoryState): string[] => [
  `process ${readings.processBytes} = managed ${readings.managedBytes} + unmanaged ${readings.unmanagedOldBytes} + ` +
    `recent ${readings.unmanagedRecentBytes}`,
  `counted ${readings.countedBytes}, hoarded ${readings.hoardedBytes}, live ${readings.liveBytes}, spilled ${readings.spilledBytes}, ` +
    `clean ${readings.cleanBytes}, debt ${readings.spillDebtBytes}, keys ${readings.keyCount}`,
];
