/**
 * The login at one registry: it answers challenges, keeps credentials and tokens, and gives the client the `Authorization`
 * header of each request. It does not know where a request goes: the client gives the header to the registry's own origin
 * only.
 */
import { OcislimError } from '../../errors.ts';
import { raced } from '../../retry/raced.ts';
import { loginAdvice, nameOf, type Party, protocolError } from '../failure.ts';
import type { Transport } from '../http/transport.ts';
import { printable } from '../printable.ts';
import type { Challenge } from './challenge.ts';
import { type Credential, type CredentialLookup, isSameCredential } from './credential.ts';
import { parseRealm } from './realm.ts';
import { type Access, mergeScopes, scopesOf } from './scope.ts';
import { basic, TokenFetcher, type TokenRequest, type TokenSettings } from './token.ts';
import type { Token } from './token-answer.ts';

/** A login by tokens of a token server. */
interface BearerMethod {
  readonly kind: 'bearer';
  readonly realm: URL;
  readonly service: string | null;
  /** Whether the realm is on another host than the registry. */
  readonly foreign: boolean;
}

type Method = { readonly kind: 'basic' } | BearerMethod;

/** The request that a challenge answered. */
export interface ChallengedRequest {
  readonly access: Access;
  readonly party: Party;
  /** The registry's origin. */
  readonly registry: URL;
}

/** Makes the `Authorization` headers for one registry from one set of credentials. */
export class Authorizer {
  readonly #credentials: CredentialLookup;
  readonly #settings: TokenSettings;
  readonly #fetcher: TokenFetcher;
  /** Ends look-ups and token requests that outlive the request they began for. */
  readonly #closing: AbortSignal;
  /** Null until the registry has asked for a login. */
  #method: Method | null = null;
  /** By repository. */
  readonly #known = new Map<string, Promise<Credential | null>>();
  /** By access: the scopes that challenges asked for. */
  readonly #scopes = new Map<string, readonly string[]>();
  /** By access. */
  readonly #tokens = new Map<string, Token>();
  /** By realm, service and scopes: requests under way. */
  readonly #fetching = new Map<string, Promise<Token>>();

  constructor(
    credentials: CredentialLookup,
    transport: Transport,
    settings: TokenSettings,
    closing: AbortSignal,
  ) {
    this.#credentials = credentials;
    this.#settings = settings;
    this.#fetcher = new TokenFetcher(transport, settings);
    this.#closing = closing;
  }

  /** Returns the header for a request; null until the registry has asked for one. @throws UNAUTHORIZED, REGISTRY, NETWORK */
  async header(access: Access, party: Party, signal: AbortSignal): Promise<string | null> {
    const method = this.#method;
    if (method === null) return null;
    const credential = await this.#credential(party, signal);
    switch (method.kind) {
      case 'basic':
        return credential?.kind === 'basic' ? basic(credential) : null;
      case 'bearer': {
        if (credential?.kind === 'bearer') return bearer(credential.token.reveal());
        const token = await raced(this.#token(method, credential, access, party), signal);
        return bearer(token.value.reveal());
      }
    }
  }

  /**
   * Takes in the challenges of a 401, so that `header` returns something better than what was `sent`.
   * @throws UNAUTHORIZED when there is nothing better
   */
  async answer(
    challenges: readonly Challenge[],
    sent: string | null,
    request: ChallengedRequest,
    signal: AbortSignal,
  ): Promise<void> {
    const { party } = request;
    const credential = await this.#credential(party, signal);
    const withRealm = challenges.find(
      ({ scheme, parameters }) => scheme === 'bearer' && parameters.has('realm'),
    );
    if (withRealm !== undefined) {
      if (credential?.kind === 'bearer' && sent !== null)
        throw rejected(party, 'the token given was refused');
      this.#takeBearer(withRealm, sent, request);
      return;
    }
    if (challenges.some(({ scheme }) => scheme === 'basic')) {
      await this.#checkBasic(credential, sent, party, signal);
      this.#method = { kind: 'basic' };
      return;
    }
    const schemes = challenges.map(({ scheme }) => printable(scheme, 30)).join(', ');
    if (schemes === '') throw rejected(party, 'the registry refuses without saying how to log in');
    throw protocolError(
      party,
      'logging in',
      `the registry wants a login by ${schemes}, which is not supported`,
    );
  }

  /** Returns whether there are no credentials for a repository. Then a refusal means that some are wanted. */
  async isAnonymous(party: Party, signal: AbortSignal): Promise<boolean> {
    return (await this.#credential(party, signal)) === null;
  }

  /** Takes in a challenge with a realm, and drops a token that was refused or is too narrow. @throws REGISTRY */
  #takeBearer({ parameters }: Challenge, sent: string | null, request: ChallengedRequest): void {
    const { access, party, registry } = request;
    const realm = parseRealm(parameters.get('realm') ?? '', registry, this.#settings.insecure, party);
    const foreign = realm.hostname !== registry.hostname;
    this.#method = { kind: 'bearer', realm, service: parameters.get('service') ?? null, foreign };
    const key = keyOf(access);
    const before = this.#scopesOf(access);
    const scopes = mergeScopes(parameters.get('scope') ?? null, before);
    this.#scopes.set(key, scopes);
    const token = this.#tokens.get(key);
    // Another request may have renewed the token in the meantime.
    const isWider = scopes.join(' ') !== before.join(' ');
    if (token !== undefined && (isWider || bearer(token.value.reveal()) === sent)) this.#tokens.delete(key);
  }

  /** Checks that there is another password than the one that was sent, if any was. @throws UNAUTHORIZED */
  async #checkBasic(
    credential: Credential | null,
    sent: string | null,
    party: Party,
    signal: AbortSignal,
  ): Promise<void> {
    if (credential === null) throw rejected(party, 'the registry wants a user name and password');
    if (credential.kind !== 'basic')
      throw rejected(party, 'the registry wants a password, and a token is all there is');
    if (sent !== basic(credential)) return;
    const renewed = await this.#renewed(credential, party, signal);
    if (renewed?.kind === 'basic') return;
    const name = printable(credential.username, 60);
    throw rejected(party, `the registry does not accept the password of ${name}`);
  }

  #credential(party: Party, signal: AbortSignal): Promise<Credential | null> {
    let found = this.#known.get(party.repository);
    if (found === undefined) {
      found = this.#credentials(party.host, party.repository, this.#closing);
      found.catch(() => this.#known.delete(party.repository));
      this.#known.set(party.repository, found);
    }
    return raced(found, signal);
  }

  /**
   * Looks up a credential again that was refused: helpers give some that last an hour. Returns null for the same one.
   */
  async #renewed(refused: Credential, party: Party, signal: AbortSignal): Promise<Credential | null> {
    // Another request may have looked already.
    if ((await this.#credential(party, signal)) === refused) this.#known.delete(party.repository);
    const found = await this.#credential(party, signal);
    return isSameCredential(found, refused) ? null : found;
  }

  /** Fetches a token; once more with the credential looked up again if it is refused. */
  async #fetch(request: TokenRequest): Promise<Token> {
    const { credential, party } = request;
    try {
      return await this.#fetcher.fetch(request, this.#closing);
    } catch (error) {
      if (credential === null || !(error instanceof OcislimError) || error.code !== 'UNAUTHORIZED')
        throw error;
      const renewed = await this.#renewed(credential, party, this.#closing);
      if (renewed === null || renewed.kind === 'bearer') throw error;
      return this.#fetcher.fetch({ ...request, credential: renewed }, this.#closing);
    }
  }

  /** Returns the token for an access. If it is missing or stale, one request fetches it for all callers that need it. */
  #token(
    { realm, service, foreign }: BearerMethod,
    credential: Credential | null,
    access: Access,
    party: Party,
  ): Promise<Token> {
    const key = keyOf(access);
    const token = this.#tokens.get(key);
    if (token !== undefined && token.staleAt > this.#settings.clock.now()) return Promise.resolve(token);
    const scopes = this.#scopesOf(access);
    // A challenge may have asked for more since a request began: what that one brings would be refused.
    const fetchKey = [realm.href, service ?? '', ...scopes].join(' ');
    let fetching = this.#fetching.get(fetchKey);
    if (fetching === undefined) {
      fetching = this.#fetch({ realm, service, foreign, scopes, credential, party })
        .then((fresh) => {
          if (this.#scopesOf(access).join(' ') === scopes.join(' ')) this.#tokens.set(key, fresh);
          return fresh;
        })
        .finally(() => this.#fetching.delete(fetchKey));
      // Callers that wait see a failure; there may be none left.
      fetching.catch(() => {});
      this.#fetching.set(fetchKey, fetching);
    }
    return fetching;
  }

  #scopesOf(access: Access): readonly string[] {
    return this.#scopes.get(keyOf(access)) ?? scopesOf(access);
  }
}

function bearer(token: string): string {
  return `Bearer ${token}`;
}

function keyOf(access: Access): string {
  return scopesOf(access).join(' ');
}

function rejected(party: Party, sentence: string): OcislimError {
  return new OcislimError('UNAUTHORIZED', `${nameOf(party)}: ${sentence}`, {
    advice: loginAdvice(party.host),
  });
}
