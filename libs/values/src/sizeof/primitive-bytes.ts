/** What a value that is no object takes, beside the slot it stands in. */
import { HEAP_NUMBER_BYTES, SLOT_BYTES } from './v8-layout.js';

const STRING_HEADER_BYTES = 16;
const BIGINT_HEADER_BYTES = 16;
const SYMBOL_BYTES = 24;
const LATIN1_MAX = 0xff;
/** Characters of a text that are looked at for one that needs two bytes. */
const CHARACTERS_MAX = 256;

/** Requires: neither an object nor a function. */
export function primitiveBytes(value: unknown): number {
  switch (typeof value) {
    case 'string':
      return stringBytes(value);
    case 'number':
      return isSmallInteger(value) ? 0 : HEAP_NUMBER_BYTES;
    case 'bigint':
      return BIGINT_HEADER_BYTES + wordsOf(value) * SLOT_BYTES;
    case 'symbol':
      return SYMBOL_BYTES;
    default:
      return 0;
  }
}

/** True for numbers that V8 keeps in the slot itself. */
export const isSmallInteger = (value: number): boolean => (value | 0) === value && !Object.is(value, -0);

/**
 * A text counts at each place it stands in: V8 does not tell whether two equal ones are one, and decoded ones are not.
 * Texts of one Latin character exist once in V8, whoever uses them.
 */
export function stringBytes(text: string): number {
  const isWide = needsTwoBytes(text);
  if (text.length <= 1 && !isWide) return 0;
  const bytes = isWide ? text.length * 2 : text.length;
  return STRING_HEADER_BYTES + Math.ceil(bytes / SLOT_BYTES) * SLOT_BYTES;
}

/** V8 stores a text with two bytes a character once one of them is not Latin-1. Long texts are asked by a sample. */
function needsTwoBytes(text: string): boolean {
  const step = Math.max(1, text.length / CHARACTERS_MAX);
  for (let at = 0; at < text.length; at += step) {
    if (text.charCodeAt(Math.floor(at)) > LATIN1_MAX) return true;
  }
  return false;
}

function wordsOf(value: bigint): number {
  const hexDigits = value.toString(16).length - (value < 0n ? 1 : 0);
  return value === 0n ? 0 : Math.ceil(hexDigits / 16);
}
