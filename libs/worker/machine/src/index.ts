export type * from './events.js';
export type * from './instructions.js';
