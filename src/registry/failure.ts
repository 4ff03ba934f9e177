/**
 * The errors of requests to registries: each names the side and the repository, says what was tried, and gives advice by
 * what the server answered. The client and everything that uses it throws these.
 */
import { type ErrorCode, OcislimError } from '../errors.ts';
import { describeFault, type Fault } from './http/fault.ts';
import { isTransient } from './http/transient.ts';
import type { HttpAnswer } from './http/transport.ts';
import { classify, explain, isPassing, type Trouble } from './http/trouble.ts';

/** The side of a run that a request is for: its messages start with it. */
export interface Party {
  readonly side: 'source' | 'destination';
  /** The registry's host as the user wrote it. */
  readonly host: string;
  /** Empty where the request is about the registry as a whole. */
  readonly repository: string;
}

/** Returns the start of messages: `source registry.example/app`. */
export function nameOf({ side, host, repository }: Party): string {
  return repository === '' ? `${side} ${host}` : `${side} ${host}/${repository}`;
}

/** The facts of an `ExchangeError`. */
interface ExchangeFacts {
  readonly origin: string;
  readonly transient: boolean;
  readonly fault: Fault | null;
  readonly trouble: Trouble | null;
  readonly pause: number | null;
}

/** A request that failed: the server refused it, or its connection broke. */
export class ExchangeError extends OcislimError {
  /**
   * `scheme://host[:port]` of the server: after redirects, another one than the registry. Not the whole URL, which may hold
   * the secret of a presigned one.
   */
  readonly origin: string;
  /** Whether the failure may pass by itself. */
  readonly transient: boolean;
  /** What the server answered; null if the connection broke. */
  readonly fault: Fault | null;
  /** How the connection failed; null if the server answered. */
  readonly trouble: Trouble | null;
  /** Milliseconds that the server asked to wait; null if it did not. */
  readonly pause: number | null;

  constructor(
    code: ErrorCode,
    message: string,
    facts: ExchangeFacts,
    { cause, advice }: { readonly cause?: unknown; readonly advice: string | null },
  ) {
    super(code, message, { cause, ...(advice === null ? {} : { advice }) });
    this.origin = facts.origin;
    this.transient = facts.transient;
    this.fault = facts.fault;
    this.trouble = facts.trouble;
    this.pause = facts.pause;
  }

  /** The status of the answer; null if the connection broke. */
  get status(): number | null {
    return this.fault?.status ?? null;
  }
}

/** Returns what an answer that is an error tells of its exchange: the server did answer, and nothing broke on the way. */
export function answeredFacts(answer: HttpAnswer, fault: Fault): ExchangeFacts {
  return {
    origin: answer.url.origin,
    transient: isTransient(fault.status),
    fault,
    trouble: null,
    pause: answer.pause,
  };
}

/** Returns the error for an answer that refuses a request. `what` is what was tried: "manifest latest". */
export function refusal(party: Party, what: string, answer: HttpAnswer, fault: Fault): ExchangeError {
  const { code, advice } = judge(fault, party);
  const sentence = `${answer.url.host} answered ${describeFault(fault)}`;
  return new ExchangeError(code, `${nameOf(party)}: ${what}: ${sentence}`, answeredFacts(answer, fault), {
    advice,
  });
}

/**
 * Returns the error for a connection to the server of `url` that broke, or could not be made. Its code is NETWORK.
 * @param betterAdvice Default: by the kind of the failure.
 */
export function connectionError(
  party: Party,
  what: string,
  url: URL,
  cause: unknown,
  betterAdvice: string | null = null,
): ExchangeError {
  const trouble = classify(cause);
  const { sentence, advice: usualAdvice } = explain(trouble, url, cause);
  const advice = betterAdvice ?? usualAdvice;
  const facts = {
    origin: url.origin,
    transient: isPassing(trouble, cause),
    fault: null,
    trouble,
    pause: null,
  };
  return new ExchangeError('NETWORK', `${nameOf(party)}: ${what}: ${sentence}`, facts, { cause, advice });
}

/** The advice where a registry in plain HTTP sends clients to itself by https, and that fails. */
export const misnamedAdvice =
  'The registry speaks plain HTTP, and sends us to itself by https: its operator must correct the address that it calls itself by (http.host of docker-registry).';

/** The advice for answers that break the protocol. */
export const protocolAdvice =
  'The registry, or a proxy in front of it, breaks the protocol: ask its operator.';

/** Returns the error for an answer that breaks the protocol. Its code is REGISTRY. */
export function protocolError(party: Party, what: string, sentence: string): OcislimError {
  return new OcislimError('REGISTRY', `${nameOf(party)}: ${what}: ${sentence}`, { advice: protocolAdvice });
}

/** Returns the error for a 401 to a request that carried credentials or a token. Its code is UNAUTHORIZED. */
export function refusedLogin(party: Party, what: string, fault: Fault): OcislimError {
  const sentence = `the registry does not accept the login for this (${describeFault(fault)})`;
  return new OcislimError('UNAUTHORIZED', `${nameOf(party)}: ${what}: ${sentence}`, {
    advice: `Check that the account has the right to ${verbOf(party)} ${party.repository}. ${loginAdvice(party.host)}`,
  });
}

/** Returns the advice of every error that a login would help with. */
export function loginAdvice(host: string): string {
  return `Log in (docker login ${host}, podman login ${host}), or give --creds USER:PASSWORD.`;
}

function verbOf(party: Party): string {
  return party.side === 'source' ? 'read' : 'write';
}

/** The code of the error for a fault, and what the user may try. */
interface Judgement {
  readonly code: ErrorCode;
  readonly advice: string | null;
}

function judge(fault: Fault, party: Party): Judgement {
  switch (fault.status) {
    case 401:
      return { code: 'UNAUTHORIZED', advice: loginAdvice(party.host) };
    case 403:
      return {
        code: 'DENIED',
        advice: `The account has no right to ${verbOf(party)} ${party.repository}, or the repository does not exist.`,
      };
    case 404:
      return {
        code: 'NOT_FOUND',
        advice:
          party.side === 'source'
            ? 'Check the name and the tag; a private repository may look missing without a login.'
            : 'Some registries want the repository to be created first.',
      };
    case 405:
      return { code: 'REGISTRY', advice: 'The registry does not allow this: it may be a read-only mirror.' };
    case 413:
      return {
        code: 'REGISTRY',
        advice: 'A proxy in front of the registry limits the size of requests (nginx: client_max_body_size).',
      };
    case 429:
      return {
        code: 'REGISTRY',
        advice: 'The registry limits the rate of requests: wait, or log in for a higher limit.',
      };
    default:
      if (fault.code === 'DIGEST_INVALID') {
        return {
          code: 'DIGEST_MISMATCH',
          advice: 'The bytes changed on their way to the registry: try again.',
        };
      }
      return { code: 'REGISTRY', advice: adviceFor(fault, party) };
  }
}

/** Returns the advice for an answer whose status says little. */
function adviceFor({ status, code, message }: Fault, { side }: Party): string {
  if (status >= 500) return 'The registry is in trouble: try again later.';
  if (status === 416) return 'The registry, or a proxy in front of it, limits the size of requests.';
  if (status >= 300 && status < 400)
    return 'Check that this is the address of a registry, not of its web page.';
  if (side === 'source') return 'Check that this is the address of a registry.';
  if (/immutab|overwrit|already exists/i.test(`${code} ${message}`))
    return 'The registry does not let this tag be overwritten: name another one.';
  if (code === 'NAME_UNKNOWN' || code === 'NAME_INVALID')
    return 'Check the name of the repository; some registries want it to be created first.';
  if (code === 'MANIFEST_INVALID' || code === 'UNSUPPORTED')
    return 'The registry does not take this kind of image: older ones know no OCI manifests and no zstd layers; gzip goes everywhere.';
  return 'The registry refuses what it was sent: its operator can say why.';
}
