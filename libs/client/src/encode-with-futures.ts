/** Encodes values in which futures may stand; what is wrong with a future is reported as it is. */
import type { Payload } from '@spillway/messages';
import { encodeValue, type EncodeOptions } from '@spillway/values';

/** As `encodeValue`, except that an error of `indexOf` is thrown itself and not as one of encoding. */
export function encodeWithFutures(
  value: unknown,
  indexOf: (value: object) => number | undefined,
  options: Omit<EncodeOptions, 'dependencyIndexOf'> = {},
): Payload {
  const refusals: unknown[] = [];
  const dependencyIndexOf = (met: object): number | undefined => {
    try {
      return indexOf(met);
    } catch (error) {
      refusals.push(error);
      throw error;
    }
  };
  try {
    return encodeValue(value, { ...options, dependencyIndexOf });
  } catch (error) {
    throw refusals[0] ?? error;
  }
}
