/** Amounts, as the messages of errors say them. */

export const inMib = (bytes: number): string => `${Number((bytes / 1024 ** 2).toFixed(1))} MiB`;

export const countOf = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;
