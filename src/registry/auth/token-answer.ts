/**
 * Answers of token servers, and the lifetime of the tokens in them. The requests are in token.ts.
 */
import type { Clock } from '../../retry/clock.ts';
import { KiB } from '../../units.ts';
import { type Party, protocolError } from '../failure.ts';
import { header, type HttpAnswer } from '../http/transport.ts';
import { Secret } from './secret.ts';

/** A bearer token of a token server (distribution, "Token Authentication Specification"). */
export interface Token {
  readonly value: Secret;
  /** Milliseconds since the epoch from which on the token is not used. */
  readonly staleAt: number;
}

const bodyLimit = 128 * KiB;
/** The specification's default, for servers that do not say. Seconds. */
const defaultLifetime = 60;
/** Milliseconds before its end from which on a token is not used, so that requests arrive in time. */
const margin = 10_000;

/**
 * Reads the body of an answer, as far as it may have bytes and a little more. It must come whole within `timeoutMs`; the
 * transport ends one that stands still.
 */
export async function readBody(answer: HttpAnswer, timeoutMs: number, clock: Clock): Promise<Uint8Array> {
  const start = clock.now();
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of answer.body as AsyncIterable<Uint8Array>) {
    if (clock.now() - start > timeoutMs) throw new Error(`no whole answer came in ${timeoutMs} ms`);
    chunks.push(chunk);
    size += chunk.length;
    if (size > bodyLimit) break;
  }
  return new Uint8Array(Buffer.concat(chunks));
}

/** A token server's answer. Its body is read if its status is 200. */
export interface TokenAnswer {
  readonly answer: HttpAnswer;
  readonly bytes: Uint8Array;
  readonly realm: URL;
  readonly party: Party;
}

/** Reads the token out of an answer. @throws REGISTRY when it is missing or malformed */
export function readToken({ answer, bytes, realm, party }: TokenAnswer, clock: Clock): Token {
  const refuse = (sentence: string) => protocolError(party, 'logging in', sentence);
  if (bytes.length > bodyLimit)
    throw refuse(`the answer of the token server ${realm.host} is longer than 128 KiB`);
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    // Without its cause: the parser's message quotes the text.
    throw refuse(`the token server ${realm.host} did not answer with JSON`);
  }
  const fields = (value ?? {}) as Record<string, unknown>;
  const text = [fields['token'], fields['access_token']].find(
    (each) => typeof each === 'string' && each !== '',
  );
  if (typeof text !== 'string' || !/^[\x21-\x7e]+$/.test(text))
    throw refuse(`the token server ${realm.host} gave no token`);
  const lifetime = readLifetime(fields['expires_in']);
  const age = ageOf(fields['issued_at'], header(answer, 'date'), lifetime);
  const left = lifetime - age - Math.min(margin, lifetime / 2);
  return { value: new Secret(text), staleAt: clock.now() + left };
}

/** Returns milliseconds. Some servers write the number as text. */
function readLifetime(expiresIn: unknown): number {
  const seconds =
    typeof expiresIn === 'string' && /^\d{1,9}$/.test(expiresIn) ? Number(expiresIn) : expiresIn;
  return (typeof seconds === 'number' && seconds > 0 ? seconds : defaultLifetime) * 1000;
}

/**
 * Returns the age of a token in milliseconds: its lifetime counts from `issued_at`. Both times are by the server's clock, so
 * ours need not be right. A server that does not tell its time counts as one that gave a new token.
 */
function ageOf(issuedAt: unknown, date: string | null, lifetime: number): number {
  if (typeof issuedAt !== 'string' || date === null) return 0;
  const age = Date.parse(date) - Date.parse(issuedAt);
  // The header counts whole seconds. A time in the future, or one that has passed already, is an error (Go's zero time).
  return age >= 1000 && age < lifetime ? age : 0;
}
