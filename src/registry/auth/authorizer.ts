import { OcislimError } from '../../errors.ts';
import type { Challenge } from './challenge.ts';
import type { Credential, CredentialLookup } from './credential.ts';
import { loginAdvice, nameOf, type Party, protocolError } from '../failure.ts';
import { printable } from '../printable.ts';
import { type Access, mergeScopes, scopesOf } from './scope.ts';
import { basic, fetchToken, parseRealm, type Token, type TokenContext, type TokenRequest } from './token.ts';

type Method =
  | { readonly kind: 'basic' }
  | {
      readonly kind: 'bearer';
      readonly realm: URL;
      readonly service: string | null;
      readonly foreign: boolean;
    };

/**
 * The `Authorization` headers for one registry and one set of credentials. What it makes is for the registry's own
 * origin only; the caller sees to that.
 */
export class Authorizer {
  readonly #credentials: CredentialLookup;
  readonly #context: TokenContext;
  /** Ends token requests that nobody waits for any more. */
  readonly #closing: AbortSignal;
  #method: Method | null = null;
  readonly #known = new Map<string, Promise<Credential | null>>();
  readonly #scopes = new Map<string, readonly string[]>();
  readonly #tokens = new Map<string, Token>();
  readonly #fetching = new Map<string, Promise<Token>>();

  constructor(credentials: CredentialLookup, context: TokenContext, closing: AbortSignal) {
    this.#credentials = credentials;
    this.#context = context;
    this.#closing = closing;
  }

  /** The header for a request; null while the registry has not asked for one. @throws UNAUTHORIZED, REGISTRY, NETWORK */
  async header(access: Access, party: Party, signal: AbortSignal): Promise<string | null> {
    const method = this.#method;
    if (method === null) return null;
    const credential = await this.#credential(party, signal);
    switch (method.kind) {
      case 'basic':
        return credential?.kind === 'basic' ? basic(credential) : null;
      case 'bearer':
        if (credential?.kind === 'bearer') return `Bearer ${credential.token}`;
        return `Bearer ${(await this.#token(method, credential, access, party, signal)).value}`;
    }
  }

  /**
   * Takes in the challenges of a 401, so that `header` gives something better than what was `sent`.
   * @throws UNAUTHORIZED when there is nothing better
   */
  async answer(
    challenges: readonly Challenge[],
    sent: string | null,
    { access, party, registry }: { readonly access: Access; readonly party: Party; readonly registry: URL },
    signal: AbortSignal,
  ): Promise<void> {
    const credential = await this.#credential(party, signal);
    const bearer = challenges.find(
      ({ scheme, parameters }) => scheme === 'bearer' && parameters.has('realm'),
    );
    if (bearer !== undefined) {
      if (credential?.kind === 'bearer') {
        if (sent !== null) throw rejected(party, 'the token given was refused');
      }
      const realm = parseRealm(bearer.parameters.get('realm') ?? '', registry, this.#context.insecure, party);
      const foreign = realm.hostname !== registry.hostname;
      this.#method = { kind: 'bearer', realm, service: bearer.parameters.get('service') ?? null, foreign };
      const key = keyOf(access);
      const scopes = mergeScopes(
        bearer.parameters.get('scope') ?? null,
        this.#scopes.get(key) ?? scopesOf(access),
      );
      const token = this.#tokens.get(key);
      // Another request may have renewed it in the meantime.
      const wider = scopes.join(' ') !== (this.#scopes.get(key) ?? scopesOf(access)).join(' ');
      this.#scopes.set(key, scopes);
      if (token !== undefined && (wider || `Bearer ${token.value}` === sent)) this.#tokens.delete(key);
      return;
    }
    if (challenges.some(({ scheme }) => scheme === 'basic')) {
      if (credential === null) throw rejected(party, 'the registry wants a user name and password');
      if (credential.kind !== 'basic')
        throw rejected(party, 'the registry wants a password, and a token is all there is');
      if (
        sent !== null &&
        sent === basic(credential) &&
        (await this.#renewed(credential, party, signal))?.kind !== 'basic'
      )
        throw rejected(
          party,
          `the registry does not accept the password of ${printable(credential.username, 60)}`,
        );
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

  /** Are there no credentials for this? Then a refusal means that some are wanted. */
  async isAnonymous(party: Party, signal: AbortSignal): Promise<boolean> {
    return (await this.#credential(party, signal)) === null;
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
   * A credential that was refused may have run out: helpers give some that last an hour. Asks for it again; null when
   * there is no other.
   */
  async #renewed(refused: Credential, party: Party, signal: AbortSignal): Promise<Credential | null> {
    // Another request may have asked already.
    if ((await this.#credential(party, signal)) === refused) this.#known.delete(party.repository);
    const found = await this.#credential(party, signal);
    return JSON.stringify(found) === JSON.stringify(refused) ? null : found;
  }

  /** A token; with the credential asked for again if it is refused. */
  async #fetch(request: TokenRequest): Promise<Token> {
    const { credential, party } = request;
    try {
      return await fetchToken(request, this.#context, this.#closing);
    } catch (error) {
      if (credential === null || !(error instanceof OcislimError) || error.code !== 'UNAUTHORIZED')
        throw error;
      const renewed = await this.#renewed(credential, party, this.#closing);
      if (renewed === null || renewed.kind === 'bearer') throw error;
      return fetchToken({ ...request, credential: renewed }, this.#context, this.#closing);
    }
  }

  async #token(
    { realm, service, foreign }: Method & { readonly kind: 'bearer' },
    credential: Credential | null,
    access: Access,
    party: Party,
    signal: AbortSignal,
  ): Promise<Token> {
    const key = keyOf(access);
    const token = this.#tokens.get(key);
    if (token !== undefined && token.staleAt > this.#context.clock.now()) return token;
    const scopes = this.#scopes.get(key) ?? scopesOf(access);
    // A challenge may have asked for more since a fetch began: what that brings would be refused.
    const fetchKey = [realm.href, service ?? '', ...scopes].join(' ');
    let fetching = this.#fetching.get(fetchKey);
    if (fetching === undefined) {
      fetching = this.#fetch({ realm, service, foreign, scopes, credential, party })
        .then((fresh) => {
          if ((this.#scopes.get(key) ?? scopes).join(' ') === scopes.join(' ')) this.#tokens.set(key, fresh);
          return fresh;
        })
        .finally(() => this.#fetching.delete(fetchKey));
      // Whoever waits hears of a failure; nobody may be left to wait.
      fetching.catch(() => {});
      this.#fetching.set(fetchKey, fetching);
    }
    return raced(fetching, signal);
  }
}

function keyOf(access: Access): string {
  return scopesOf(access).join(' ');
}

function rejected(party: Party, sentence: string): OcislimError {
  return new OcislimError('UNAUTHORIZED', `${nameOf(party)}: ${sentence}`, {
    advice: loginAdvice(party.host),
  });
}

/** The promise, or the signal's reason if that fires first: others may still be waiting for the promise. */
async function raced<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => reject(signal.reason as Error);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
