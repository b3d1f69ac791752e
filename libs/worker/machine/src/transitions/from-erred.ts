import { nothingFollows } from './entering.js';
import type { TransitionsFrom } from './index.js';

export const fromErred: TransitionsFrom<'erred'> = {
  /** It is assigned or wanted anew, or forgotten. */
  released: nothingFollows,
};
