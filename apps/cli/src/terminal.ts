import pc from 'picocolors';

/** Whether to write colours: to terminals, or when forced to (`FORCE_COLOR`); never with `NO_COLOR` (conventions I04). */
export function hasColours(stream: { readonly isTTY?: boolean }): boolean {
  return pc.isColorSupported && (stream.isTTY === true || (process.env['FORCE_COLOR'] ?? '') !== '');
}
