/**
 * Reasons inside this library for giving up on a value; `encodeValue` turns them into `ValueNotEncodableError` with the
 * path of the field. They never leave the library.
 */

/** An object that structured clone refuses or would empty in silence. */
export class NotClonableError extends Error {
  constructor(readonly culprit: unknown) {
    super('not clonable');
  }
}

/** A codec's data leads back to the instance that is being encoded. */
export class SelfReferenceError extends Error {
  constructor(readonly culprit: object) {
    super('codec data refers to its own instance');
  }
}

/** The bytes of the encoded value could not be allocated. */
export class TooLargeError extends Error {
  constructor(readonly sizeBytes: number) {
    super('too large');
  }
}

/** Deeper than structured clone may recurse. */
export class TooDeepError extends Error {}
