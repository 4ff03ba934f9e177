/**
 * Runs one command line in this process: signals, broken pipes and errors all become an exit status. Caller: `bin/ocislim`,
 * and tests.
 */
import { OcislimError } from '../errors.ts';
import { fileError } from '../files/file-error.ts';
import type { Console } from './command.ts';
import { explain } from './explain.ts';
import { parseCommandLine } from './parser.ts';

/** The status that shells report of a program ended by SIGPIPE. */
const brokenPipe = 141;

/** Runs a command line and returns its exit status. It throws nothing. */
export async function main(args: readonly string[]): Promise<number> {
  using watch = new ProcessWatch();
  try {
    const command = await parseCommandLine(args, process.env);
    const status = await command(watch.console);
    // Node reports that the last output could not be written a moment later.
    await new Promise(setImmediate);
    if (watch.unwritable !== null) return await watch.statusAfter(null, args);
    // A signal that came too late has interrupted nothing.
    return watch.status === brokenPipe ? brokenPipe : status;
  } catch (error) {
    const status = await watch.statusAfter(error, args);
    // A write to a pipe that nothing reads would keep an interrupted process alive.
    if (isOfSignal(status) && process.stdout.writableLength > 0) process.exit(status);
    return status;
  }
}

/** Returns whether a status says that a signal ended the command. */
function isOfSignal(status: number): boolean {
  return status === 130 || status === 143;
}

/** Tells the command that runs, or ran last, of an error: that of the last write may come when it has returned. */
let tell: ((error: NodeJS.ErrnoException) => void) | null = null;

/** Watches the signals and the output of the process while a command runs. */
class ProcessWatch implements Disposable {
  /** The status that a signal or a closed pipe decided; null while neither came. */
  status: number | null = null;
  /** The error of the output; null while it can be written. */
  unwritable: unknown = null;
  readonly console: Console;
  #published: string | null = null;
  readonly #interrupted = new AbortController();
  readonly #onInterrupt = () => this.#onSignal('SIGINT', 130);
  readonly #onTerminate = () => this.#onSignal('SIGTERM', 143);

  constructor() {
    if (tell === null) process.stdout.on('error', (error) => tell?.(error));
    tell = (error) => this.#onOutput(error);
    // An error of stderr cannot be reported anywhere.
    if (process.stderr.listenerCount('error') === 0) process.stderr.on('error', () => {});
    process.on('SIGINT', this.#onInterrupt);
    process.on('SIGTERM', this.#onTerminate);
    const { stdout, stderr, env } = process;
    this.console = {
      stdout,
      stderr,
      env,
      signal: this.#interrupted.signal,
      notePublished: (name) => void (this.#published = name),
    };
  }

  /** The exit status of a command that threw, with the error told. */
  async statusAfter(error: unknown, args: readonly string[]): Promise<number> {
    if (this.unwritable !== null) return explain(this.#withPublished(this.unwritable), args);
    const isPublished = error instanceof OcislimError && error.code === 'PUBLISHED';
    if (this.status === null || isPublished) return explain(error, args);
    if (this.status === brokenPipe) return brokenPipe;
    const told =
      error instanceof OcislimError && error.code === 'INTERRUPTED'
        ? error
        : (this.#interrupted.signal.reason as OcislimError);
    process.stderr.write(`ocislim: ${told.message}\n`);
    return this.status;
  }

  /** Adds to an error of the output which image is published, since its name did not arrive. */
  #withPublished(error: unknown): unknown {
    if (this.#published === null || !(error instanceof OcislimError)) return error;
    const advice = [
      `The image is ${this.#published}.`,
      ...(error.advice === undefined ? [] : [error.advice]),
    ];
    return new OcislimError('PUBLISHED', `published, but ${error.message}`, {
      cause: error,
      advice: advice.join(' '),
    });
  }

  [Symbol.dispose](): void {
    process.off('SIGINT', this.#onInterrupt);
    process.off('SIGTERM', this.#onTerminate);
  }

  #onSignal(signal: NodeJS.Signals, status: number): void {
    if (this.status !== null) {
      // A second signal ends the process at once: an exit would wait for calls of the system that do not return.
      this[Symbol.dispose]();
      process.kill(process.pid, signal);
      return;
    }
    this.status = status;
    // What draws on the terminal stops first, since it listens to the signal.
    this.#interrupted.abort(new OcislimError('INTERRUPTED', 'interrupted; nothing was published'));
    process.stderr.write(
      `ocislim: stopping; ${status === 130 ? 'Ctrl-C' : 'SIGTERM'} again ends it at once\n`,
    );
  }

  /** Notes that standard output cannot be written. */
  #onOutput(error: NodeJS.ErrnoException): void {
    if (error.code === 'EPIPE') {
      // The reader of the output has gone (`| head`): clean up and leave, as SIGPIPE would end a program.
      this.status ??= brokenPipe;
      this.#interrupted.abort(new OcislimError('IO', 'the reader of the output has gone'));
    } else {
      this.unwritable ??= fileError('write to standard output', error);
      this.#interrupted.abort(this.unwritable);
    }
  }
}
