import { Closeable } from '../closeable.ts';
import { OcislimError } from '../errors.ts';
import { defaultLimits, exceeded } from '../limits.ts';
import type { ByteStream } from '../stream/byte-stream.ts';
import { isLocal, isLoopback, redact, serverOf } from './http/address.ts';
import { Authorizer } from './auth/authorizer.ts';
import { parseChallenges } from './auth/challenge.ts';
import { type Clock, systemClock } from './retry/clock.ts';
import {
  classify,
  connectionError,
  nameOf,
  type Party,
  protocolError,
  readFault,
  refusal,
  refusedLogin,
} from './failure.ts';
import { HostHealth } from './retry/host-health.ts';
import type { ClientOptions } from './options.ts';
import { Patience } from './retry/patience.ts';
import { printable } from './printable.ts';
import { direct, ProxyError } from './http/proxy.ts';
import { isTransient, pauseBefore, retryAfter } from './retry/retry.ts';
import type { Access } from './auth/scope.ts';
import { withoutSecrets } from './http/secrets.ts';
import { discard, header, headerValues, type HttpAnswer, type Method, Transport } from './http/transport.ts';
import { systemCertificates, Trust } from './tls/trust.ts';

/** A request to a registry, with everything that decides how it may fail. */
export interface RegistryRequest {
  readonly method: Method;
  /** A path under the registry's origin, or a URL that the registry gave (an upload location). */
  readonly target: string | URL;
  readonly headers?: Readonly<Record<string, string>>;
  /** A stream can be sent once only: such a request is never repeated. */
  readonly body?: Uint8Array | ByteStream;
  readonly access: Access;
  readonly party: Party;
  /** What is being done, for messages: "manifest latest". */
  readonly what: string;
  /** Which statuses answer the question; any other is thrown. */
  readonly accept: (status: number) => boolean;
  /** Is doing it twice as good as doing it once? Else a failure whose effect is unknown is the caller's. */
  readonly repeatable: boolean;
  readonly lane?: 'request' | 'download';
  /** Milliseconds without progress, when more than the client's own. */
  readonly timeoutMs?: number;
  /** Is there no time to wait where the server asked for it? */
  readonly hurried?: boolean;
}

const longestConnect = 30_000;

/**
 * One registry host: its scheme, connections and authorization. Redirects are followed by hand, the `Authorization`
 * header goes to the registry's own origin only, and trouble that may pass is waited out.
 */
export class RegistryClient extends Closeable {
  /** As people write it. */
  readonly host: string;
  readonly clock: Clock;
  readonly options: ClientOptions;
  readonly #transport: Transport;
  readonly #authorizer: Authorizer;
  readonly #closing = new AbortController();
  readonly #told = new Set<string>();
  /** By host: storage behind a registry has its own troubles. */
  readonly #healths = new Map<string, HostHealth>();
  #origin: URL;
  /** Has the server answered? From then on its scheme is settled, and failures to reach it are transient. */
  #reached = false;

  constructor(host: string, options: ClientOptions) {
    super();
    this.host = host;
    this.options = options;
    this.clock = options.clock ?? systemClock;
    this.#origin = new URL(`https://${serverOf(host)}`);
    const { retryTimes, timeoutMs } = options;
    const verifyTls = options.tlsVerify && !options.insecure;
    this.#transport = new Transport({
      connections: options.connections ?? 6,
      verifyTls,
      trust: new Trust({
        host,
        server: this.#origin.host,
        certificates: options.certificates ?? systemCertificates,
        authorities: options.authorities ?? [],
      }),
      proxies: options.proxies ?? direct,
      allowLocal: isLoopback(this.#origin),
      connectTimeoutMs: Math.min(timeoutMs, longestConnect),
    });
    const { insecure } = options;
    const context = { transport: this.#transport, clock: this.clock, retryTimes, timeoutMs, insecure };
    this.#authorizer = new Authorizer(options.credentials, context, this.#closing.signal);
    if (!verifyTls && !isLoopback(this.#origin)) this.#tell(`the certificate of ${host} is not verified`);
  }

  /** `scheme://host[:port]`; the scheme is settled once the server has answered. */
  get origin(): string {
    return this.#origin.origin;
  }

  /**
   * Sends a request until it has an answer that the request accepts.
   * @throws UNAUTHORIZED, DENIED, NOT_FOUND, REGISTRY, NETWORK, or the signal's reason
   */
  async send(request: RegistryRequest, signal: AbortSignal): Promise<HttpAnswer> {
    const { party, what } = request;
    const replayable = request.body === undefined || request.body instanceof Uint8Array;
    let challenged = false;
    for (let attempt = 0; ; ) {
      signal.throwIfAborted();
      let pause: number | null = null;
      const sending = await this.#sendOnce(request, signal);
      const health = this.healthOf('error' in sending ? sending.url : sending.answer.url);
      const last = attempt >= this.options.retryTimes || !replayable || health.spent !== null;
      if ('error' in sending) {
        const { error, url } = sending;
        if (replayable && this.#turnPlain(error, url)) continue;
        const trouble = connectionError(party, what, url, error);
        const again =
          request.repeatable && trouble.transient && (this.#reached || classify(error) !== 'unreachable');
        if (!again) throw trouble;
        if (last) throw worn(trouble, url, health);
      } else {
        const { answer, sent } = sending;
        if (request.accept(answer.status) && answer.status !== 401) return answer;
        if (answer.status === 401 && answer.url.origin === this.origin && replayable && !challenged) {
          challenged = true;
          await this.#login(request, answer, sent, signal);
          continue;
        }
        if (answer.status === 401 && sent !== null && !(await this.#authorizer.isAnonymous(party, signal))) {
          throw refusedLogin(party, what, await readFault(answer));
        }
        if (!isTransient(answer.status) || !request.repeatable || last)
          throw worn(refusal(party, what, answer, await readFault(answer)), answer.url, health);
        pause = retryAfter(header(answer, 'retry-after'), this.clock);
        discard(answer);
      }
      await this.clock.sleep(pause ?? pauseBefore(attempt, this.clock), signal);
      attempt += 1;
      challenged = false;
    }
  }

  /** What the server of a URL has been like. */
  healthOf({ host }: URL): HostHealth {
    let health = this.#healths.get(host);
    if (health === undefined) {
      health = new HostHealth(this.options.retryTimes, this.clock);
      this.#healths.set(host, health);
    }
    return health;
  }

  /**
   * Waits before another try at what a server of `url` failed to do, `wanted` milliseconds if it said so. `failures`
   * counts from 0. @throws `error` when that was the last try, or when its server has failed for too long
   */
  async pause(
    failures: number,
    wanted: number | null,
    { error, url }: { readonly error: OcislimError; readonly url: URL },
    signal: AbortSignal,
  ): Promise<void> {
    const health = this.healthOf(url);
    if (failures >= this.options.retryTimes || health.spent !== null) throw worn(error, url, health);
    await this.clock.sleep(wanted ?? pauseBefore(failures, this.clock), signal);
  }

  /**
   * Sends a request and reads its whole answer, which must not be longer than the limit of manifests; a connection that breaks
   * on the way counts as a failed try.
   */
  async fetch(
    request: RegistryRequest,
    signal: AbortSignal,
  ): Promise<{ readonly answer: HttpAnswer; readonly bytes: Uint8Array }> {
    const { limits = defaultLimits } = this.options;
    const limit = limits['manifest-bytes'];
    for (let attempt = 0; ; attempt += 1) {
      const answer = await this.send(request, signal);
      const chunks: Uint8Array[] = [];
      let size = 0;
      const patience = new Patience(this.options.timeoutMs, () => this.clock.now());
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
        const error = connectionError(request.party, request.what, answer.url, cause);
        await this.pause(attempt, null, { error, url: answer.url }, signal);
        continue;
      } finally {
        answer.body.destroy();
      }
      if (size > limit)
        throw exceeded(
          'manifest-bytes',
          limits,
          `${nameOf(request.party)}: ${request.what} is too large`,
          `${size} bytes have come so far`,
        );
      return { answer, bytes: new Uint8Array(Buffer.concat(chunks)) };
    }
  }

  /** Drops all connections and ends what is under way. */
  async close(): Promise<void> {
    this.#closing.abort(new OcislimError('INTERRUPTED', `the connection to ${this.host} was closed`));
    await this.#transport.close();
  }

  /** One pass: the request and the redirects that follow from it. Errors of the connection are values here. */
  async #sendOnce(
    request: RegistryRequest,
    signal: AbortSignal,
  ): Promise<
    | { readonly answer: HttpAnswer; readonly sent: string | null }
    | { readonly error: unknown; readonly url: URL }
  > {
    const { method, target, party, what, access, body } = request;
    let url = typeof target === 'string' ? new URL(target, this.#origin) : target;
    this.#checkHop(this.#origin, url, party, what);
    // Once a chain of redirects has left the registry it gets no credentials again, even where it comes back.
    let own = url.origin === this.origin;
    for (let hops = 0; ; hops += 1) {
      const health = this.healthOf(url);
      if (request.hurried !== true) await health.ready(signal);
      const sent = own ? await this.#authorizer.header(access, party, signal) : null;
      let answer: HttpAnswer;
      try {
        answer = await this.#transport.send(
          {
            method,
            url,
            headers: { ...request.headers, ...(sent === null ? {} : { authorization: sent }) },
            body: body ?? null,
            lane: request.lane ?? 'request',
            foreign: url.hostname !== this.#origin.hostname,
            timeoutMs: Math.max(this.options.timeoutMs, request.timeoutMs ?? 0),
          },
          signal,
        );
      } catch (error) {
        signal.throwIfAborted();
        if (error instanceof OcislimError) throw error;
        health.failed();
        return { error, url };
      }
      if (isTransient(answer.status)) {
        health.failed();
        health.hold(retryAfter(header(answer, 'retry-after'), this.clock) ?? 0);
      } else health.succeeded();
      if (url.origin === this.origin) this.#reached = true;
      this.#report(method, url, answer);
      if (!isRedirect(method, answer.status, body)) return { answer, sent };
      discard(answer);
      const next = resolveLocation(header(answer, 'location'), url);
      if (next === null) throw protocolError(party, what, `${url.host} redirects to nowhere`);
      const { limits = defaultLimits } = this.options;
      if (hops >= limits.redirects)
        throw exceeded(
          'redirects',
          limits,
          `${nameOf(party)}: ${what}`,
          `there are more than ${hops} redirects, the last one to ${redact(next)}`,
        );
      this.#checkHop(url, next, party, what);
      own &&= next.origin === this.origin;
      url = next;
    }
  }

  /** Refuses to be sent where an outsider could listen or where only we can go. @throws REGISTRY */
  #checkHop(from: URL, to: URL, party: Party, what: string): void {
    const refuse = (why: string): OcislimError =>
      protocolError(party, what, `${from.host} sends us to ${redact(to)}, ${why}; refused`);
    if (to.protocol !== 'https:' && to.protocol !== 'http:') throw refuse('which is not HTTP');
    if (to.protocol === 'http:' && from.protocol === 'https:') throw refuse('which is not encrypted');
    if (to.username !== '' || to.password !== '') throw refuse('a URL with a user name');
    if (isLocal(to) && !isLoopback(this.#origin) && to.hostname !== this.#origin.hostname)
      throw refuse('a local address');
  }

  async #login(
    request: RegistryRequest,
    answer: HttpAnswer,
    sent: string | null,
    signal: AbortSignal,
  ): Promise<void> {
    let challenges = parseChallenges(headerValues(answer, 'www-authenticate'));
    if (challenges.length === 0) {
      // Google's registries may leave the challenge out; the base of the API has it.
      const pinged = await this.#sendOnce(
        {
          method: 'GET',
          target: '/v2/',
          access: request.access,
          party: request.party,
          what: 'logging in',
          accept: () => true,
          repeatable: true,
        },
        signal,
      );
      if ('answer' in pinged) {
        challenges = parseChallenges(headerValues(pinged.answer, 'www-authenticate'));
        discard(pinged.answer);
      }
      if (challenges.length === 0)
        throw refusal(request.party, request.what, answer, await readFault(answer));
    }
    const { access, party } = request;
    try {
      await this.#authorizer.answer(challenges, sent, { access, party, registry: this.#origin }, signal);
    } finally {
      discard(answer);
    }
  }

  /** Goes over to plain HTTP where that is allowed and the server has never spoken TLS. True: try again. */
  #turnPlain(error: unknown, url: URL): boolean {
    const trouble = classify(error);
    const { insecure } = this.options;
    // Several requests may have been under way when the first of them found out.
    if (this.#origin.protocol === 'http:')
      return url.protocol === 'https:' && url.hostname === this.#origin.hostname;
    if (this.#reached || url.origin !== this.origin) return false;
    // Without a port, plain HTTP is at another one: only who allowed it is taken there.
    const isRefused = error instanceof ProxyError && error.status !== null && error.status !== 407;
    const otherPort = (trouble === 'unreachable' || isRefused) && insecure && this.#origin.port === '';
    if (!(trouble === 'not-tls' && (insecure || isLoopback(this.#origin))) && !otherPort) return false;
    this.#origin = new URL(this.#origin.href.replace(/^https:/, 'http:'));
    if (!isLoopback(this.#origin))
      this.#tell(`${this.host} is spoken to in plain HTTP: anybody on the way can read and change it`);
    return true;
  }

  #tell(message: string): void {
    if (this.#told.has(message)) return;
    this.#told.add(message);
    this.options.listener({ type: 'warning', code: 'INSECURE', message });
  }

  #report(method: Method, url: URL, answer: HttpAnswer): void {
    const { listener } = this.options;
    listener({ type: 'detail', message: `${method} ${redact(url)} ${answer.status}` });
    const remaining = header(answer, 'ratelimit-remaining');
    if (remaining !== null)
      listener({ type: 'detail', message: `${this.host}: pulls that remain: ${printable(remaining, 60)}` });
    for (const warning of headerValues(answer, 'warning')) {
      // distribution-spec, "Warnings": 299 - "text"
      const text = /^299 - "((?:[^"\\]|\\.)*)"/.exec(warning)?.[1];
      if (text === undefined || this.#told.has(text) || this.#told.size > 100) continue;
      this.#told.add(text);
      listener({
        type: 'warning',
        code: 'REGISTRY_WARNING',
        message: `${this.host} says: ${printable(withoutSecrets(text.replace(/\\(.)/g, '$1'), answer.secrets))}`,
      });
    }
  }
}

/** The error, and for how long there was nothing else where that is why it is the last one. */
function worn(error: OcislimError, { host }: URL, { spent }: HostHealth): OcislimError {
  if (spent === null) return error;
  const minutes = Math.round(spent / 60_000);
  return new OcislimError(
    error.code,
    `${error.message}; for ${minutes} minutes ${host} has given nothing but failures`,
    { cause: error, advice: error.advice ?? 'The registry is in trouble: try again later.' },
  );
}

function isRedirect(method: Method, status: number, body: unknown): boolean {
  if (method === 'GET' || method === 'HEAD') return [301, 302, 303, 307, 308].includes(status);
  // Of writes, only the redirects that keep method and body, and only a body that is still there.
  return (status === 307 || status === 308) && (body === undefined || body instanceof Uint8Array);
}

/** A `Location`, relative to the URL whose answer held it; null when there is none or it is malformed. */
export function resolveLocation(location: string | null, base: URL): URL | null {
  return location !== null && URL.canParse(location, base) ? new URL(location, base) : null;
}
