/**
 * Requests to token servers (distribution, "Token Authentication Specification"). The authorizer asks here for a token when
 * a registry's challenge names a realm; tokens are kept there.
 */
import { retrying } from '../../retry/retrying.ts';
import { exchangePolicy } from '../exchange-policy.ts';
import {
  answeredFacts,
  connectionError,
  ExchangeError,
  loginAdvice,
  nameOf,
  type Party,
  protocolAdvice,
} from '../failure.ts';
import { describeFault, readFault } from '../http/fault.ts';
import { isTransient } from '../http/transient.ts';
import { discard, type HttpAnswer, type Transport } from '../http/transport.ts';
import type { ClientSettings } from '../settings.ts';
import { type Credential, secretOf } from './credential.ts';
import type { Secret } from './secret.ts';
import { readBody, readToken, type Token, type TokenAnswer } from './token-answer.ts';

export interface TokenRequest {
  readonly realm: URL;
  readonly service: string | null;
  /** Whether the realm is on another host than the registry. */
  readonly foreign: boolean;
  readonly scopes: readonly string[];
  readonly credential: Credential | null;
  readonly party: Party;
}

/** The settings of a client that hold for its token servers too. */
export type TokenSettings = Pick<ClientSettings, 'clock' | 'retryTimes' | 'timeoutMs' | 'insecure'>;

const clientId = 'ocislim';

/** Asks token servers for tokens. */
export class TokenFetcher {
  readonly #transport: Transport;
  readonly #settings: TokenSettings;

  constructor(transport: Transport, settings: TokenSettings) {
    this.#transport = transport;
    this.#settings = settings;
  }

  /**
   * Asks for a token, anonymously without a credential. An identity token goes by POST (OAuth 2); everything else, and an
   * identity token whose POST is refused, by GET.
   * @throws UNAUTHORIZED, REGISTRY, NETWORK
   */
  async fetch(request: TokenRequest, signal: AbortSignal): Promise<Token> {
    if (request.credential?.kind === 'identity') {
      const received = await this.#send(request, postOf(request, request.credential.token), signal);
      const { answer } = received;
      if (answer.status === 200) return readToken(received, this.#settings.clock);
      // Token servers without POST: Google's says 404, Artifactory 401, Azure's 400, others 405.
      if (![400, 401, 404, 405].includes(answer.status)) throw await refused(request, answer);
      discard(answer);
    }
    const received = await this.#send(request, getOf(request), signal);
    if (received.answer.status !== 200) throw await refused(request, received.answer);
    return readToken(received, this.#settings.clock);
  }

  /** Sends it, and again while the server is in trouble. Redirects are not followed: credentials would go along. */
  #send(request: TokenRequest, sending: Sending, signal: AbortSignal): Promise<TokenAnswer> {
    const { clock, retryTimes } = this.#settings;
    return retrying(exchangePolicy(retryTimes), { clock, signal }, async () => {
      const received = await this.#sendOnce(request, sending, signal);
      if (isTransient(received.answer.status)) throw await refused(request, received.answer);
      return received;
    });
  }

  async #sendOnce(request: TokenRequest, sending: Sending, signal: AbortSignal): Promise<TokenAnswer> {
    const { realm, party, foreign } = request;
    const { timeoutMs, clock } = this.#settings;
    try {
      const exchange = { ...sending, lane: 'request', foreign, timeoutMs } as const;
      const answer = await this.#transport.send(exchange, signal);
      const bytes = answer.status === 200 ? await readBody(answer, timeoutMs, clock) : new Uint8Array();
      return { answer, bytes, realm, party };
    } catch (error) {
      signal.throwIfAborted();
      throw connectionError(party, 'logging in', sending.url, error);
    }
  }
}

interface Sending {
  readonly method: 'GET' | 'POST';
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | null;
}

/** Builds a GET. The registry chose service and scopes: `searchParams` keeps them from being more than values. */
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

function postOf({ realm, service, scopes }: TokenRequest, refreshToken: Secret): Sending {
  const form = new URLSearchParams({
    grant_type: 'refresh_token',
    client_id: clientId,
    refresh_token: refreshToken.reveal(),
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

/** Returns the value of a Basic `Authorization` header (RFC 7617, in UTF-8). */
export function basic(credential: Exclude<Credential, { readonly kind: 'bearer' }>): string {
  const pair = `${credential.username}:${secretOf(credential).reveal()}`;
  return `Basic ${Buffer.from(pair, 'utf8').toString('base64')}`;
}

/** Returns the error for an answer that gives no token. Its code is UNAUTHORIZED or REGISTRY. */
async function refused(request: TokenRequest, answer: HttpAnswer): Promise<ExchangeError> {
  const { realm, credential, party } = request;
  const fault = await readFault(answer);
  const said = `${realm.host} answered ${describeFault(fault)}`;
  const facts = answeredFacts(answer, fault);
  if (fault.status === 401 || fault.status === 403) {
    const verdict = credential === null ? 'wants credentials' : 'does not accept the credentials given';
    const message = `${nameOf(party)}: the token server ${verdict}: ${said}`;
    return new ExchangeError('UNAUTHORIZED', message, facts, { advice: loginAdvice(party.host) });
  }
  const isRedirect = fault.status >= 300 && fault.status < 400;
  const sentence = isRedirect ? `the token server ${realm.host} redirects, which is not followed` : said;
  return new ExchangeError('REGISTRY', `${nameOf(party)}: logging in: ${sentence}`, facts, {
    advice: protocolAdvice,
  });
}
