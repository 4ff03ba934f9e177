/**
 * The standard output and error of a recorded command: passed on as they come, and looked through for a line that shows that it is ready, or
 * measured. `record` attaches it to the process that it starts.
 */
import type { StdioOptions } from 'node:child_process';
import { createHash } from 'node:crypto';
import { finished } from 'node:stream/promises';
import { KiB } from '../../units.ts';
import type { OutputPipes } from './named-pipe.ts';

/** The most characters of a line that are looked at, and the most lines that are remembered. */
const longest = 8 * KiB;
const most = 1000;

/** Where the output goes, beside what looks at it. */
export interface OutputSink {
  write(chunk: Uint8Array): unknown;
}

export interface OutputOptions {
  readonly stdin: 'inherit' | 'ignore';
  /** Where standard output goes; null for nowhere. */
  readonly stdout: OutputSink | null;
  readonly stderr: OutputSink | null;
}

interface Waiter {
  readonly pattern: RegExp;
  readonly found: () => void;
}

export class CommandOutput {
  /** Whether the command is in a session of its own, so that it has no terminal, and all of it can be killed together. */
  readonly isApart: boolean;
  readonly #options: OutputOptions;
  readonly #hash = createHash('sha256');
  #length = 0;
  /** Lines that came before anything waited for them. */
  readonly #lines: string[] = [];
  readonly #waiters = new Set<Waiter>();

  constructor(options: OutputOptions) {
    this.#options = options;
    this.isApart = options.stdin === 'ignore';
  }

  /** Returns the streams to start the process with. */
  stdio({ writers }: OutputPipes): StdioOptions {
    return [this.#options.stdin, ...writers];
  }

  /** Reads what the process writes, which has got its ends of the pipes. Resolves when both streams have ended. */
  async read(pipes: OutputPipes): Promise<void> {
    pipes.handOver();
    const both = [
      [pipes.readers[0], this.#options.stdout, true],
      [pipes.readers[1], this.#options.stderr, false],
    ] as const;
    await Promise.all(
      both.map(async ([stream, sink, isMeasured]) => {
        let pending = '';
        stream.on('data', (chunk: Buffer) => {
          if (isMeasured) this.#measure(chunk);
          sink?.write(chunk);
          const lines = (pending + chunk.toString('latin1')).split('\n');
          pending = (lines.pop() ?? '').slice(0, longest);
          for (const line of lines) this.#see(Buffer.from(line.slice(0, longest), 'latin1').toString('utf8'));
        });
        await finished(stream).catch(() => {});
        if (pending !== '') this.#see(Buffer.from(pending, 'latin1').toString('utf8'));
      }),
    );
  }

  /** Resolves when a line of the output, also one that has passed, matches. Rejects with the signal's reason. */
  logged(pattern: RegExp, signal: AbortSignal): Promise<void> {
    if (this.#lines.some((line) => pattern.test(line))) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const waiter = { pattern, found: resolve };
      this.#waiters.add(waiter);
      const stop = () => {
        this.#waiters.delete(waiter);
        reject(signal.reason as Error);
      };
      if (signal.aborted) stop();
      signal.addEventListener('abort', stop, { once: true });
    });
  }

  /** Returns how much came on standard output so far, and its digest. Call it once. */
  measured(): { readonly length: number; readonly digest: string } {
    return { length: this.#length, digest: `sha256:${this.#hash.digest('hex')}` };
  }

  /** Returns the last lines of both streams, as they came: at most this many. */
  lastLines(count: number): readonly string[] {
    return this.#lines.slice(-count);
  }

  #measure(chunk: Uint8Array): void {
    this.#length += chunk.length;
    this.#hash.update(chunk);
  }

  #see(line: string): void {
    this.#lines.push(line);
    if (this.#lines.length > most) this.#lines.shift();
    for (const waiter of this.#waiters)
      if (waiter.pattern.test(line)) {
        this.#waiters.delete(waiter);
        waiter.found();
      }
  }
}
