/**
 * Error bodies of registries and token servers, read within bounds and without the secrets that a server may repeat.
 * Whatever turns an unwanted answer into an error reads it here.
 */
import { KiB } from '../../units.ts';
import { printable } from '../printable.ts';
import { withoutSecrets } from './secrets.ts';
import { discard, header, type HttpAnswer, readHead } from './transport.ts';

/** What a registry says when it refuses a request (distribution-spec, "Error Codes"). */
export interface Fault {
  readonly status: number;
  /** An error code such as `MANIFEST_UNKNOWN`; null if the body has none. */
  readonly code: string | null;
  readonly message: string | null;
  /** All digests in the body, wherever the registry puts them. */
  readonly digests: readonly string[];
}

const bodyLimit = 64 * KiB;

/** Reads the error body of an answer, 64 KiB of it at most. Never fails. */
export async function readFault(answer: HttpAnswer): Promise<Fault> {
  const { status } = answer;
  const type = header(answer, 'content-type') ?? '';
  if (/html/i.test(type)) {
    discard(answer);
    return { status, code: null, message: null, digests: [] };
  }
  const text = new TextDecoder().decode(await readHead(answer, bodyLimit)).trim();
  const digests = text.match(/sha(?:256|512):[0-9a-f]{64,128}/g) ?? [];
  const { code, message } = readErrors(text);
  const told = message ?? (text.startsWith('{') || text === '' ? null : text);
  const mask = (part: string | null) => (part === null ? null : withoutSecrets(part, answer.secrets));
  return { status, code: mask(code), message: mask(told), digests };
}

function readErrors(text: string): { readonly code: string | null; readonly message: string | null } {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { code: null, message: null };
  }
  const errors = property(value, 'errors');
  const first: unknown = Array.isArray(errors) ? errors[0] : value;
  // Token servers follow OAuth 2 or answer `{"details": "…"}`.
  const message = [
    property(first, 'message'),
    property(first, 'error_description'),
    property(first, 'details'),
    property(first, 'error'),
  ].find((each) => typeof each === 'string' && each !== '');
  const code = property(first, 'code');
  return {
    code: typeof code === 'string' && code !== '' ? code : null,
    message: typeof message === 'string' ? message : null,
  };
}

function property(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

/** Returns a fault as one line that is safe to print: `404 MANIFEST_UNKNOWN: manifest unknown`. */
export function describeFault(fault: Fault): string {
  const code = fault.code === null ? '' : ` ${printable(fault.code, 60)}`;
  return `${fault.status}${code}${fault.message === null ? '' : `: ${printable(fault.message)}`}`;
}
