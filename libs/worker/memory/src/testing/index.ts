export { aMemoryMachine, asked, evictedKeys, keysOf, Rehearsal } from './builders.js';
export { Conversation, type Command } from './conversation.js';
export { describeInstruction, describeReadings } from './describe.js';
