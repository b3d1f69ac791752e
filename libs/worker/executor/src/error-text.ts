/** Bounds texts of user errors before they travel (ERROR_TEXT_LENGTH_MAX). */
import { ERROR_TEXT_LENGTH_MAX } from '@spillway/messages';

const CUT = ' … (cut)';

export const boundedText = (text: string, lengthMax: number = ERROR_TEXT_LENGTH_MAX): string =>
  text.length <= lengthMax ? text : text.slice(0, lengthMax - CUT.length) + CUT;
