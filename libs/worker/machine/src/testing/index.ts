export * from './builders.js';
export { describeInstruction, describeMoves } from './describe.js';
export { GoldenScript, type GoldenBlock } from './golden-script.js';
export { Rehearsal } from './rehearsal.js';
export { World, type RunFate, type RunningAttempt, type RunningGather } from './world.js';
