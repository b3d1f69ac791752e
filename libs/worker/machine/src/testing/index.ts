export * from './builders.js';
export { describeInstruction, describeMoves } from './describe.js';
export { GoldenScript, type GoldenBlock } from './golden-script.js';
