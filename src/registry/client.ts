/**
 * The client of one registry host: it logs in, follows redirects, and retries what may pass. Everything in this room that
 * sends a request to a registry does so through a `RegistryClient`, mostly by a `Repository`. It knows nothing of manifests,
 * blobs and uploads.
 */
import { Closeable } from '../closeable.ts';
import { OcislimError } from '../errors.ts';
import { exceeded } from '../limits.ts';
import { Retries, type RetryPolicy } from '../retry/retrying.ts';
import type { ByteStream } from '../stream/byte-stream.ts';
import { Authorizer } from './auth/authorizer.ts';
import { parseChallenges } from './auth/challenge.ts';
import type { Access } from './auth/scope.ts';
import { exchangePolicy } from './exchange-policy.ts';
import {
  connectionError,
  ExchangeError,
  misnamedAdvice,
  nameOf,
  type Party,
  protocolError,
  refusal,
  refusedLogin,
} from './failure.ts';
import { HeldManifests } from './held-manifests.ts';
import { redact } from './http/address.ts';
import { readFault } from './http/fault.ts';
import { HostHealth } from './http/host-health.ts';
import { Origin } from './http/origin.ts';
import { Patience } from './http/patience.ts';
import { isRedirect, refusedHop, resolveLocation } from './http/redirect.ts';
import { isTransient } from './http/transient.ts';
import { discard, header, headerValues, type HttpAnswer, type Method, Transport } from './http/transport.ts';
import { Notices } from './notices.ts';
import type { ClientOptions } from './options.ts';
import { type ClientSettings, withDefaults } from './settings.ts';
import { Trust } from './tls/trust.ts';

/** A request to a registry, with all that decides how it may fail. */
export interface RegistryRequest {
  readonly method: Method;
  /** A path under the registry's origin, or a URL that the registry gave (an upload location). */
  readonly target: string | URL;
  readonly headers?: Readonly<Record<string, string>>;
  /** A stream can be sent once only, so such a request is never sent again. */
  readonly body?: Uint8Array | ByteStream;
  readonly access: Access;
  readonly party: Party;
  /** What is being done, for messages: "manifest latest". */
  readonly what: string;
  /** Returns whether a status answers the request; an answer with any other status is thrown. */
  readonly accept: (status: number) => boolean;
  /** Whether the request is idempotent. If not, an ambiguous failure is thrown, not retried. */
  readonly idempotent: boolean;
  readonly lane?: 'request' | 'download';
  /** Milliseconds without progress, when more than the client's own. */
  readonly timeoutMs?: number;
  /** Whether the request is sent even while the server asks for no requests. */
  readonly hurried?: boolean;
}

/** An answer, and the `Authorization` header that its request carried. */
interface Passed {
  readonly answer: HttpAnswer;
  readonly sent: string | null;
}

const longestConnect = 30_000;

/**
 * One registry host: its scheme, connections and authorization. Redirects are followed here, so that the `Authorization`
 * header goes to the registry's own origin only.
 */
export class RegistryClient extends Closeable {
  /** The host as the user wrote it. */
  readonly host: string;
  readonly settings: ClientSettings;
  /** Those that sources have fetched. */
  readonly manifests = new HeldManifests();
  readonly #transport: Transport;
  readonly #authorizer: Authorizer;
  readonly #closing = new AbortController();
  readonly #notices: Notices;
  readonly #origin: Origin;
  /** By host, since the storage behind a registry has its own outages. */
  readonly #healths = new Map<string, HostHealth>();

  constructor(host: string, options: ClientOptions) {
    super();
    this.host = host;
    const settings = withDefaults(options);
    this.settings = settings;
    this.#origin = new Origin(host, settings.insecure);
    this.#notices = new Notices(host, settings.listener);
    const verifyTls = settings.tlsVerify && !settings.insecure;
    const { certificates, authorities, credentials } = settings;
    this.#transport = new Transport({
      connections: settings.connections,
      verifyTls,
      trust: new Trust({ host, server: this.#origin.url.host, certificates, authorities }),
      proxies: settings.proxies,
      allowLocal: this.#origin.isLoopback,
      connectTimeoutMs: Math.min(settings.timeoutMs, longestConnect),
      clock: settings.clock,
    });
    this.#authorizer = new Authorizer(credentials, this.#transport, settings, this.#closing.signal);
    if (!verifyTls && !this.#origin.isLoopback)
      this.#notices.insecure(`the certificate of ${host} is not verified`);
  }

  /** `scheme://host[:port]`; the scheme is settled once the server has answered. */
  get origin(): string {
    return this.#origin.url.origin;
  }

  /**
   * Sends a request until an answer has a status that the request accepts.
   * @throws UNAUTHORIZED, DENIED, NOT_FOUND, REGISTRY, NETWORK, or the signal's reason
   */
  send(request: RegistryRequest, signal: AbortSignal): Promise<HttpAnswer> {
    const idempotent = request.idempotent && isReplayable(request);
    return this.retries({ idempotent }).run(signal, () => this.#attempt(request, signal));
  }

  /**
   * Sends a request and reads the whole body of its answer. A connection that breaks on the way counts as a failed attempt.
   * @throws what `send` throws, and LIMIT for a body that is longer than manifests may be
   */
  fetch(
    request: RegistryRequest,
    signal: AbortSignal,
  ): Promise<{ readonly answer: HttpAnswer; readonly bytes: Uint8Array }> {
    return this.retries().run(signal, async () => {
      const answer = await this.send(request, signal);
      return { answer, bytes: await this.#read(request, answer, signal) };
    });
  }

  /**
   * Returns a count of failures to run attempts with, by the client's options: an `ExchangeError` that may pass is retried,
   * unless its server has failed for too long. `overrides` goes before that policy.
   */
  retries(overrides: Partial<RetryPolicy> = {}): Retries {
    const { retryTimes, clock, listener } = this.settings;
    const policy: RetryPolicy = {
      ...exchangePolicy(retryTimes),
      isTransient: (error) => error instanceof ExchangeError && this.#mayPass(error),
      stopsEarly: (error) => (error instanceof ExchangeError ? this.#outageOf(error) : null),
      ...overrides,
    };
    return new Retries(policy, { clock, listener });
  }

  /** Returns the health of the server of a URL. */
  healthOf({ host }: { readonly host: string }): HostHealth {
    let health = this.#healths.get(host);
    if (health === undefined) {
      health = new HostHealth(this.settings.retryTimes, this.settings.clock);
      this.#healths.set(host, health);
    }
    return health;
  }

  /** Drops all connections and ends what is under way. */
  async close(): Promise<void> {
    this.#closing.abort(new OcislimError('INTERRUPTED', `the connection to ${this.host} was closed`));
    await this.#transport.close();
  }

  /** A server that was never reached is more likely to be named wrongly than to be down. */
  #mayPass({ transient, trouble }: ExchangeError): boolean {
    return transient && (this.#origin.isReached || trouble !== 'unreachable');
  }

  /** Returns how long the server of a failed exchange has been failing, when that is too long to go on; else null. */
  #outageOf({ origin }: ExchangeError): string | null {
    const { host } = new URL(origin);
    const { spent } = this.healthOf({ host });
    if (spent === null) return null;
    return `for ${Math.round(spent / 60_000)} minutes ${host} has given nothing but failures`;
  }

  /** Sends a request once; once more in plain HTTP, and once more after a login, where those apply. */
  async #attempt(request: RegistryRequest, signal: AbortSignal): Promise<HttpAnswer> {
    const { party, what } = request;
    let passed = await this.#passInScheme(request, signal);
    if (passed.answer.status === 401 && this.#origin.owns(passed.answer.url) && isReplayable(request)) {
      await this.#login(request, passed, signal);
      passed = await this.#pass(request, signal);
    }
    const { answer, sent } = passed;
    if (answer.status !== 401) {
      if (request.accept(answer.status)) return answer;
    } else if (sent !== null && !(await this.#authorizer.isAnonymous(party, signal))) {
      throw refusedLogin(party, what, await readFault(answer));
    }
    throw refusal(party, what, answer, await readFault(answer));
  }

  async #passInScheme(request: RegistryRequest, signal: AbortSignal): Promise<Passed> {
    try {
      return await this.#pass(request, signal);
    } catch (error) {
      if (!(error instanceof ExchangeError) || !isReplayable(request)) throw error;
      const turn = this.#origin.turnPlain(error);
      if (turn === 'no') throw error;
      if (turn === 'turned' && !this.#origin.isLoopback)
        this.#notices.insecure(
          `${this.host} is spoken to in plain HTTP: anybody on the way can read and change it`,
        );
      return this.#pass(request, signal);
    }
  }

  /** Sends a request and follows its redirects. @throws ExchangeError for a connection that breaks, REGISTRY, LIMIT, … */
  async #pass(request: RegistryRequest, signal: AbortSignal): Promise<Passed> {
    const { method, target, party, what, access, body } = request;
    let url = typeof target === 'string' ? new URL(target, this.#origin.url) : target;
    this.#checkHop(this.#origin.url, url, request);
    // Once a chain of redirects has left the registry it gets no credentials again, even where it comes back.
    let own = this.#origin.owns(url);
    for (let hops = 0; ; hops += 1) {
      if (request.hurried !== true) await this.healthOf(url).ready(signal);
      const sent = own ? await this.#authorizer.header(access, party, signal) : null;
      const answer = await this.#exchange(request, url, sent, signal);
      if (!isRedirect(method, answer.status, body)) return { answer, sent };
      discard(answer);
      const next = resolveLocation(header(answer, 'location'), url);
      if (next === null) throw protocolError(party, what, `${url.host} redirects without a usable Location`);
      const { limits } = this.settings;
      if (hops >= limits.redirects)
        throw exceeded('redirects', limits, `${nameOf(party)}: ${what}`, {
          says: `there are more than ${hops} redirects, the last one to ${redact(next)}`,
          atLeast: hops + 1,
        });
      this.#checkHop(url, next, request);
      own &&= this.#origin.owns(next);
      url = next;
    }
  }

  /** Sends a request to one URL, and notes how its server is. `sent` is the `Authorization` header. */
  async #exchange(
    request: RegistryRequest,
    url: URL,
    sent: string | null,
    signal: AbortSignal,
  ): Promise<HttpAnswer> {
    const { method, party, what, body = null, lane = 'request' } = request;
    const health = this.healthOf(url);
    let answer: HttpAnswer;
    try {
      answer = await this.#transport.send(
        {
          method,
          url,
          headers: { ...request.headers, ...(sent === null ? {} : { authorization: sent }) },
          body,
          lane,
          foreign: url.hostname !== this.#origin.url.hostname,
          timeoutMs: Math.max(this.settings.timeoutMs, request.timeoutMs ?? 0),
        },
        signal,
      );
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof OcislimError) throw error;
      health.failed();
      throw connectionError(party, what, url, error, this.#isMisnamed(url) ? misnamedAdvice : null);
    }
    if (isTransient(answer.status)) {
      health.failed();
      health.hold(answer.pause ?? 0);
    } else health.succeeded();
    this.#origin.noteAnswer(url);
    this.#notices.answered(method, url, answer);
    return answer;
  }

  /** Returns whether a registry in plain HTTP has named its own host by https. */
  #isMisnamed({ protocol, hostname }: URL): boolean {
    const own = this.#origin.url;
    return own.protocol === 'http:' && protocol === 'https:' && hostname === own.hostname;
  }

  /** @throws REGISTRY when a server sends us where we must not go */
  #checkHop(from: URL, to: URL, { party, what }: RegistryRequest): void {
    const refused = refusedHop(from, to, this.#origin);
    if (refused !== null) throw protocolError(party, what, refused);
  }

  /** Takes in the challenges of a 401, so that the next request carries better credentials. @throws UNAUTHORIZED, … */
  async #login(request: RegistryRequest, { answer, sent }: Passed, signal: AbortSignal): Promise<void> {
    const { access, party } = request;
    let challenges = parseChallenges(headerValues(answer, 'www-authenticate'));
    // Google's registries may leave the challenge out; the base of the API has it.
    if (challenges.length === 0) {
      const ping = await this.#ping(request, signal);
      // Another request has logged in meanwhile: what it was given is worth a try.
      if (ping !== null && ping.sent !== sent && ping.answer.status !== 401) return discard(answer);
      challenges = ping === null ? [] : parseChallenges(headerValues(ping.answer, 'www-authenticate'));
    }
    if (challenges.length === 0) throw refusal(party, request.what, answer, await readFault(answer));
    try {
      const context = { access, party, registry: this.#origin.url };
      await this.#authorizer.answer(challenges, sent, context, signal);
    } finally {
      discard(answer);
    }
  }

  /** Asks the base of the API, which has the challenges; null when it cannot be reached. */
  async #ping({ access, party }: RegistryRequest, signal: AbortSignal): Promise<Passed | null> {
    const ping: RegistryRequest = {
      method: 'GET',
      target: '/v2/',
      access,
      party,
      what: 'logging in',
      accept: () => true,
      idempotent: true,
    };
    try {
      const passed = await this.#pass(ping, signal);
      discard(passed.answer);
      return passed;
    } catch (error) {
      if (error instanceof ExchangeError) return null;
      throw error;
    }
  }

  /** Reads a body that must not be longer than the limit of manifests. @throws ExchangeError, LIMIT */
  async #read(request: RegistryRequest, answer: HttpAnswer, signal: AbortSignal): Promise<Uint8Array> {
    const { limits, timeoutMs, clock } = this.settings;
    const { party, what } = request;
    const limit = limits['manifest-bytes'];
    const chunks: Uint8Array[] = [];
    let size = 0;
    const patience = new Patience(timeoutMs, () => clock.now());
    const reader = (answer.body as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
    try {
      while (size <= limit) {
        const next = await patience.wait(() => reader.next());
        if (next.done === true) break;
        size += next.value.length;
        chunks.push(next.value);
      }
    } catch (cause) {
      signal.throwIfAborted();
      throw connectionError(party, what, answer.url, cause);
    } finally {
      answer.body.destroy();
    }
    if (size > limit)
      throw exceeded('manifest-bytes', limits, `${nameOf(party)}: ${what} is too large`, {
        says: `${size} bytes have come so far`,
        ...statedSize(answer, size),
      });
    return new Uint8Array(Buffer.concat(chunks));
  }
}

/** Returns the size of a body that the server states; what has come of it where it states none, or less. */
function statedSize(
  answer: HttpAnswer,
  come: number,
): { readonly needed: number } | { readonly atLeast: number } {
  const stated = header(answer, 'content-length') ?? '';
  const size = /^\d{1,15}$/.test(stated) ? Number(stated) : 0;
  return size >= come ? { needed: size } : { atLeast: come };
}

/** Returns whether a request can be sent a second time: a stream cannot. */
function isReplayable({ body }: RegistryRequest): boolean {
  return body === undefined || body instanceof Uint8Array;
}
