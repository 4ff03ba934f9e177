/**
 * Sends one probe after the other to a program that runs, and notes what came back. `run-probes.ts` decides which, and this file how: ports,
 * schemes, retries, bounds of time.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { type ExecProbe, nameOfProbe, type NetworkProbe, type ProbeResult } from '../../../probe/probe.ts';
import type { Dial } from './dial.ts';
import { type Answer, callGrpcHealth, callHttp, secure } from './http-call.ts';

/** How a command that ran beside the program ended. */
export interface ExecEnd {
  readonly status: number;
  /** Bytes of the standard output, and their digest. */
  readonly length: number;
  readonly digest: string;
}

/** What probes reach of the program. */
export interface Target {
  readonly dial: Dial;
  /** Runs a command beside the program, and traces it. */
  readonly exec: (command: readonly string[], signal: AbortSignal) => Promise<ExecEnd>;
  /** The TCP ports that the image exposes. */
  readonly ports: readonly number[];
  /** Fires when the program has ended, or is to end. */
  readonly signal: AbortSignal;
}

/** Bounds of time, in milliseconds. */
export interface ProbeTimes {
  /** Of one request or command. */
  readonly answer: number;
  /** Before the first retry. The second waits twice as long, and so on. */
  readonly retry: number;
}

/** The port that is asked where neither a probe nor the image names one. */
const standardPort = 80;

export const standardTimes: ProbeTimes = { answer: 60_000, retry: 250 };

export class Prober {
  readonly #target: Target;
  readonly #times: ProbeTimes;
  readonly results: ProbeResult[] = [];

  constructor(target: Target, times: ProbeTimes = standardTimes) {
    this.#target = target;
    this.#times = times;
  }

  /** The port of a probe that names none. */
  get port(): number {
    return this.#target.ports[0] ?? standardPort;
  }

  /** Sends a probe of the network, and notes the result. Returns the answer; null where none came. */
  async ask(probe: NetworkProbe): Promise<Answer | null> {
    const port = probe.port ?? this.port;
    let answer: Answer | null = null;
    await this.#note({ ...probe, port }, async (signal) => {
      const got = await this.#answerOf({ ...probe, port }, port, signal);
      answer = got.answer;
      return got;
    });
    return answer;
  }

  /** Runs a command beside the program, and notes the result. */
  async run(probe: ExecProbe): Promise<void> {
    await this.#note(probe, async (signal) => {
      const ended = await this.#target.exec(probe.command, signal);
      return {
        answer: ended,
        kind: probe.kind,
        error: ended.status === 0 ? null : `it ended with ${ended.status}`,
      };
    });
  }

  /** Notes a probe that could not be made. */
  leave(name: string, reason: string): void {
    const nothing = { status: null, length: null, digest: null, seconds: 0 };
    this.results.push({
      kind: 'http',
      origin: 'openapi',
      name,
      ...nothing,
      ok: true,
      error: `not called: ${reason}`,
    });
  }

  /** Asks until the answer is the expected one, or the retries are used up. */
  async #note(
    probe: NetworkProbe | ExecProbe,
    ask: (signal: AbortSignal) => Promise<Attempt>,
  ): Promise<void> {
    for (let tries = 0; ; tries++) {
      const result = await this.#try(probe, ask);
      if (result.ok || tries >= probe.retries || this.#target.signal.aborted) {
        this.results.push(result);
        return;
      }
      await delay(this.#times.retry * 2 ** Math.min(tries, 6), undefined, {
        signal: this.#target.signal,
      }).catch(() => {});
    }
  }

  async #try(
    probe: NetworkProbe | ExecProbe,
    ask: (signal: AbortSignal) => Promise<Attempt>,
  ): Promise<ProbeResult> {
    const { signal } = this.#target;
    const begun = performance.now();
    const timeout = AbortSignal.timeout(this.#times.answer);
    const got = await ask(AbortSignal.any([signal, timeout])).catch((error: unknown): Attempt => {
      const why = signal.aborted
        ? 'the program has ended'
        : timeout.aborted
          ? `no whole answer within ${this.#times.answer / 1000} s`
          : reasonOf(error as Error & { readonly reason?: string });
      return { answer: null, kind: probe.kind, error: why };
    });
    return {
      kind: got.kind,
      origin: probe.origin,
      name: nameOfProbe(got.kind === probe.kind ? probe : { ...(probe as NetworkProbe), kind: 'tcp' }),
      status: got.answer?.status ?? null,
      length: got.answer?.length ?? null,
      digest: got.answer?.digest ?? null,
      seconds: Math.round(performance.now() - begun) / 1000,
      ok: got.error === null,
      error: got.error,
    };
  }

  async #answerOf(probe: NetworkProbe, port: number, signal: AbortSignal): Promise<NetworkAttempt> {
    const { kind } = probe;
    const socket = await this.#target.dial(port, signal);
    if (kind === 'tcp') {
      socket.destroy();
      return { answer: null, kind, error: null };
    }
    if (kind === 'grpc') {
      const answer = await callGrpcHealth(probe.path, socket, signal);
      return { answer, kind, error: answer.status === 1 ? null : 'it is not serving' };
    }
    const answer = await this.#httpAnswer(probe, { socket, port, signal }).catch((error: unknown) => {
      // A port that is only knocked on need not speak HTTP: it took a connection.
      if (probe.origin === 'port' && !signal.aborted) return null;
      throw error;
    });
    if (answer === null) return { answer, kind: 'tcp', error: null };
    const isExpected = probe.status === null ? answer.status < 500 : answer.status === probe.status;
    const wanted = probe.status === null ? 'a status below 500' : String(probe.status);
    return { answer, kind, error: isExpected ? null : `it answers with ${answer.status}, not ${wanted}` };
  }

  /** Speaks HTTP or HTTPS, as the probe says; where it does not, HTTPS after a failure that TLS would explain. */
  async #httpAnswer(
    probe: NetworkProbe,
    over: { readonly socket: Awaited<ReturnType<Dial>>; readonly port: number; readonly signal: AbortSignal },
  ): Promise<Answer> {
    const { signal, port } = over;
    if (probe.scheme === 'https')
      return callHttp(probe, { ...over, socket: await secure(over.socket, signal) });
    const plain = await callHttp(probe, over).catch((error: unknown) => error as Error);
    const isAnswer = !(plain instanceof Error);
    const isMeant = isAnswer && (plain.status !== 400 || probe.status === 400);
    if (probe.scheme === 'http' || signal.aborted || isMeant) {
      if (isAnswer) return plain;
      throw plain;
    }
    // Servers answer a request in plain HTTP at a port of TLS with 400, or not in HTTP.
    try {
      const socket = await secure(await this.#target.dial(port, signal), signal);
      return await callHttp(probe, { socket, port, signal });
    } catch {
      signal.throwIfAborted();
      if (isAnswer) return plain;
      throw plain;
    }
  }
}

/** Returns why a request failed. OpenSSL's message names a line of its sources; its reason says what is wrong. */
function reasonOf({ message, reason }: Error & { readonly reason?: string }): string {
  return reason === undefined ? message : `it does not speak TLS: ${reason}`;
}

/** What one try of a probe got. */
interface Attempt {
  readonly answer: Pick<Answer, 'status' | 'length' | 'digest'> | null;
  /** The kind of what was found to be there. */
  readonly kind: ProbeResult['kind'];
  /** What is wrong; null for the expected answer. */
  readonly error: string | null;
}

interface NetworkAttempt extends Attempt {
  readonly answer: Answer | null;
}
