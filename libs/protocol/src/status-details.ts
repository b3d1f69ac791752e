/* eslint-disable @typescript-eslint/no-unsafe-class-instance-assignment -- the encoder of a message reads its properties and asks for no class */
/** Encoding of the details that travel with a status: a google.rpc.Status, as tools in any language read it. */
import type { ErrorDetails } from '@spillway/kernel';
import { google } from '@spillway/proto';
import { durationFromMs, wellFormed } from './to-wire/scalars.js';

const { Status, ErrorInfo, RetryInfo, BadRequest } = google.rpc;

const ERROR_DOMAIN = 'spillway';
const TYPE_URL = 'type.googleapis.com/google.rpc.';
/** Details travel in HTTP/2 headers, which are small. */
const DETAILS_COUNT_MAX = 16;
const DETAIL_LENGTH_MAX = 256;

interface PackedError {
  readonly code: number;
  readonly message: string;
  readonly reason: string;
  readonly details: ErrorDetails;
  readonly retryAfterMs: number | undefined;
}

export function packDetails({ code, message, reason, details, retryAfterMs }: PackedError): Buffer {
  const metadata = Object.fromEntries(
    Object.entries(details)
      .slice(0, DETAILS_COUNT_MAX)
      .map(([name, value]) => [wellFormed(name), cut(value)]),
  );
  const packed = [any('ErrorInfo', ErrorInfo.encode({ reason, domain: ERROR_DOMAIN, metadata }))];
  if (retryAfterMs !== undefined) {
    packed.push(any('RetryInfo', RetryInfo.encode({ retryDelay: durationFromMs(retryAfterMs) })));
  }
  if (details['field'] !== undefined) {
    const violation = {
      field: cut(details['field']),
      description: cut(details['problem'] ?? message),
    };
    packed.push(any('BadRequest', BadRequest.encode({ fieldViolations: [violation] })));
  }
  return Buffer.from(Status.encode({ code, message, details: packed }).finish());
}

/** What `packDetails` packed; `undefined` when the bytes are not ours or not readable. */
export function unpackDetails(
  bytes: Uint8Array,
): { readonly message: string; readonly reason: string; readonly details: ErrorDetails } | undefined {
  try {
    const { message, details } = Status.decode(bytes);
    const packed = details.find((detail) => detail.type_url === `${TYPE_URL}ErrorInfo`);
    if (packed === undefined) return undefined;
    const info = ErrorInfo.decode(packed.value);
    return info.domain === ERROR_DOMAIN
      ? { message, reason: info.reason, details: { ...info.metadata } }
      : undefined;
  } catch {
    return undefined;
  }
}

const cut = (text: string): string => wellFormed(text.slice(0, DETAIL_LENGTH_MAX));

const any = (name: string, encoded: { finish(): Uint8Array }): { type_url: string; value: Uint8Array } => ({
  type_url: TYPE_URL + name,
  value: encoded.finish(),
});
