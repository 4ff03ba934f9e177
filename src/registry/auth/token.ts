import { OcislimError } from '../../errors.ts';
import { isLocal, isLoopback, redact } from '../http/address.ts';
import type { Clock } from '../retry/clock.ts';
import type { Credential } from './credential.ts';
import {
  connectionError,
  classify,
  describeFault,
  loginAdvice,
  nameOf,
  type Party,
  protocolError,
  readFault,
} from '../failure.ts';
import { isTransient, pauseBefore, retryAfter } from '../retry/retry.ts';
import { discard, header, type HttpAnswer, type Transport } from '../http/transport.ts';
import { KiB } from '../../units.ts';

/** A bearer token of a token server (distribution, "Token Authentication Specification"). */
export interface Token {
  readonly value: string;
  /** Milliseconds since the epoch from which on it is not to be used. */
  readonly staleAt: number;
}

export interface TokenRequest {
  readonly realm: URL;
  readonly service: string | null;
  /** Is the realm on another host than the registry? */
  readonly foreign: boolean;
  readonly scopes: readonly string[];
  readonly credential: Credential | null;
  readonly party: Party;
}

export interface TokenContext {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly retryTimes: number;
  readonly timeoutMs: number;
  /** Was plain HTTP allowed beyond loopback? */
  readonly insecure: boolean;
}

const tokenBodyLimit = 128 * KiB;
const clientId = 'ocislim';
/** The specification's own default, for servers that do not say. */
const defaultLifetime = 60;
/** Milliseconds before its end from which on a token is not used: a request that is sent must also arrive in time. */
const margin = 10_000;

/**
 * Reads and checks the realm of a challenge: credentials go there, and so does a request out of our network.
 * `registry` is the origin that sent it. A registry on loopback may speak plain HTTP without having been allowed to
 * (`insecure`), but not send a password over the network that way. @throws REGISTRY
 */
export function parseRealm(text: string, registry: URL, insecure: boolean, party: Party): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  const refuse = (why: string): OcislimError =>
    protocolError(
      party,
      'logging in',
      `the registry names a token server that ${why}${url === null ? '' : `: ${redact(url)}`}`,
    );
  if (url === null) throw refuse('is not a URL');
  const plain = registry.protocol === 'http:' && (insecure || !isLoopback(registry) || isLoopback(url));
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && plain))
    throw refuse('is not reached by https');
  if (url.username !== '' || url.password !== '') throw refuse('carries a user name');
  if (isLocal(url) && !isLoopback(registry) && url.hostname !== registry.hostname)
    throw refuse('is at a local address');
  return url;
}

/**
 * Asks for a token, anonymously if there is no credential: an identity token by POST (OAuth 2), everything else, and
 * what that POST fails for, by GET.
 * @throws UNAUTHORIZED, REGISTRY, NETWORK
 */
export async function fetchToken(
  request: TokenRequest,
  context: TokenContext,
  signal: AbortSignal,
): Promise<Token> {
  if (request.credential?.kind === 'identity') {
    const received = await send(request, context, postOf(request, request.credential.token), signal);
    const { answer } = received;
    if (answer.status === 200) return readToken(request, context, received);
    // Token servers that know no POST: Google's says 404, Artifactory 401, Azure's 400, others 405.
    if (![400, 401, 404, 405].includes(answer.status)) throw await refused(request, answer);
    discard(answer);
  }
  const received = await send(request, context, getOf(request), signal);
  if (received.answer.status !== 200) throw await refused(request, received.answer);
  return readToken(request, context, received);
}

interface Sending {
  readonly method: 'GET' | 'POST';
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | null;
}

/** The registry chose service and scopes: `searchParams` keeps them from being more than values. */
function getOf({ realm, service, scopes, credential }: TokenRequest): Sending {
  const url = new URL(realm);
  if (service !== null) url.searchParams.append('service', service);
  for (const scope of scopes) url.searchParams.append('scope', scope);
  url.searchParams.append('client_id', clientId);
  const headers: Record<string, string> = { accept: 'application/json' };
  if (credential !== null && credential.kind !== 'bearer') {
    if (credential.kind === 'basic') url.searchParams.append('account', credential.username);
    headers['authorization'] = basic(credential);
  }
  return { method: 'GET', url, headers, body: null };
}

function postOf({ realm, service, scopes }: TokenRequest, refreshToken: string): Sending {
  const form = new URLSearchParams({
    grant_type: 'refresh_token',
    client_id: clientId,
    refresh_token: refreshToken,
  });
  if (service !== null) form.append('service', service);
  if (scopes.length > 0) form.append('scope', scopes.join(' '));
  return {
    method: 'POST',
    url: realm,
    headers: { accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded' },
    body: new TextEncoder().encode(form.toString()),
  };
}

/** The value of a Basic `Authorization` header (RFC 7617, in UTF-8). */
export function basic(credential: Exclude<Credential, { readonly kind: 'bearer' }>): string {
  const secret = credential.kind === 'basic' ? credential.password : credential.token;
  return `Basic ${Buffer.from(`${credential.username}:${secret}`, 'utf8').toString('base64')}`;
}

/** An answer, and of a good one the body, at most a byte longer than it may be. */
interface Received {
  readonly answer: HttpAnswer;
  readonly bytes: Uint8Array;
}

/** Sends it, and again while the server is in trouble. Redirects are not followed: credentials would go along. */
async function send(
  request: TokenRequest,
  context: TokenContext,
  sending: Sending,
  signal: AbortSignal,
): Promise<Received> {
  const { transport, clock, retryTimes, timeoutMs } = context;
  for (let attempt = 0; ; attempt += 1) {
    let pause: number | null = null;
    try {
      const answer = await transport.send(
        { ...sending, lane: 'request', foreign: request.foreign, timeoutMs },
        signal,
      );
      if (answer.status === 200) return { answer, bytes: await readBody(answer, timeoutMs) };
      if (!isTransient(answer.status) || attempt >= retryTimes) return { answer, bytes: new Uint8Array() };
      pause = retryAfter(header(answer, 'retry-after'), clock);
      discard(answer);
    } catch (error) {
      signal.throwIfAborted();
      const trouble = classify(error);
      if ((trouble !== 'broken' && trouble !== 'unreachable') || attempt >= retryTimes) {
        throw connectionError(request.party, 'logging in', sending.url, error);
      }
    }
    await clock.sleep(pause ?? pauseBefore(attempt, clock), signal);
  }
}

/** The whole of a body, which is short: it has as long to come as others have to show any progress. */
async function readBody(answer: HttpAnswer, timeoutMs: number): Promise<Uint8Array> {
  const late = (): void => void answer.body.destroy(new Error(`no whole answer came in ${timeoutMs} ms`));
  const timer = setTimeout(late, timeoutMs);
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of answer.body as AsyncIterable<Uint8Array>) {
      chunks.push(chunk);
      size += chunk.length;
      if (size > tokenBodyLimit) break;
    }
  } finally {
    clearTimeout(timer);
  }
  return new Uint8Array(Buffer.concat(chunks));
}

async function refused(
  { realm, credential, party }: TokenRequest,
  answer: HttpAnswer,
): Promise<OcislimError> {
  const fault = await readFault(answer);
  const said = `${realm.host} answered ${describeFault(fault)}`;
  if (fault.status === 401 || fault.status === 403) {
    const sentence =
      credential === null
        ? `the token server wants credentials: ${said}`
        : `the token server does not accept the credentials given: ${said}`;
    return new OcislimError('UNAUTHORIZED', `${nameOf(party)}: ${sentence}`, {
      advice: loginAdvice(party.host),
    });
  }
  return protocolError(
    party,
    'logging in',
    fault.status >= 300 && fault.status < 400
      ? `the token server ${realm.host} redirects, which is not followed`
      : said,
  );
}

function readToken(
  { realm, party }: TokenRequest,
  { clock }: TokenContext,
  { answer, bytes }: Received,
): Token {
  if (bytes.length > tokenBodyLimit)
    throw protocolError(
      party,
      'logging in',
      `the answer of the token server ${realm.host} is longer than 128 KiB`,
    );
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    // Without its cause: the parser's message quotes the text.
    throw protocolError(party, 'logging in', `the token server ${realm.host} did not answer with JSON`);
  }
  const {
    token,
    access_token: accessToken,
    expires_in: expiresIn,
    issued_at: issuedAt,
  } = (value ?? {}) as Record<string, unknown>;
  const text = [token, accessToken].find((each) => typeof each === 'string' && each !== '');
  if (typeof text !== 'string' || !/^[\x21-\x7e]+$/.test(text)) {
    throw protocolError(party, 'logging in', `the token server ${realm.host} gave no token`);
  }
  const lifetime = readLifetime(expiresIn);
  const age = ageOf(issuedAt, header(answer, 'date'), lifetime);
  return { value: text, staleAt: clock.now() + lifetime - age - Math.min(margin, lifetime / 2) };
}

/** Milliseconds. Some servers write the number as text. */
function readLifetime(expiresIn: unknown): number {
  const seconds =
    typeof expiresIn === 'string' && /^\d{1,9}$/.test(expiresIn) ? Number(expiresIn) : expiresIn;
  return (typeof seconds === 'number' && seconds > 0 ? seconds : defaultLifetime) * 1000;
}

/**
 * How old a token is that a server hands out, milliseconds: its lifetime counts from `issued_at`. Both times are by the
 * server's clock, so it does not matter whether ours is right; a server that does not say its time gave a new one.
 */
function ageOf(issuedAt: unknown, date: string | null, lifetime: number): number {
  if (typeof issuedAt !== 'string' || date === null) return 0;
  const age = Date.parse(date) - Date.parse(issuedAt);
  // The header counts whole seconds only. Issued in the future, or run out already, is nonsense (Go's zero time).
  return age >= 1000 && age < lifetime ? age : 0;
}
