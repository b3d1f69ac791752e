/** Names that callers choose: refused here, where it can be told who asked, and not by the scheduler for a whole batch. */
import { KEY_LENGTH_MAX } from '@spillway/messages';

/** What names have to be, for messages. */
export const NAME_RULE = `text of 1 to ${KEY_LENGTH_MAX} characters without halves of surrogate pairs`;

const LONE_SURROGATE = /\p{Surrogate}/u;

/** Whether a key, or the name of a worker, module or export, can travel. */
export const isName = (text: string): boolean =>
  text.length > 0 && text.length <= KEY_LENGTH_MAX && !LONE_SURROGATE.test(text);
