/**
 * This folder records traces: it runs a command below strace(1), in this container or in a root filesystem, and reads what
 * strace reports. It does not know what a trace is used for, and it writes no file: the command `trace record` does.
 */
import { type ChildProcess, execFile, spawn, type SpawnOptions } from 'node:child_process';
import { constants } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { promisify } from 'node:util';
import { type ByteString, ascii, noBytes, readByteString, utf8Bytes } from '../../bytes/bytes.ts';
import { OcislimError } from '../../errors.ts';
import { makeTemporaryFolder } from '../../files/temporary.ts';
import type { Trace, TracedPath } from '../../trace/trace.ts';
import { TraceReader } from '../../trace/trace-reader.ts';
import { MiB } from '../../units.ts';
import { filterDescriptor } from './bubblewrap.ts';
import type { CommandOutput } from './command-output.ts';
import { type Launch, userOf } from './launch.ts';
import { makePipe, OutputPipes } from './named-pipe.ts';
import { type CommandEnd, type Refusal, StraceFilter } from './strace-filter.ts';

export interface RecordOptions {
  readonly launch: Launch;
  /** The arguments of strace, from `straceArguments`. */
  readonly strace: readonly string[];
  /** The name of the trace in messages. */
  readonly name: string;
  /**
   * Ends the command. The reason of the abort is the name of the signal to send; null where the command has got the signal
   * already, from the terminal. The trace up to then is returned.
   */
  readonly stop: AbortSignal;
  /** Milliseconds from the signal to SIGKILL. */
  readonly grace: number;
  /** Kills the command and all that it started, at once. Default: nothing does. */
  readonly kill?: AbortSignal;
  /** The output of the command. Default: the standard streams of this process. */
  readonly output?: CommandOutput;
  /** What to do beside the command, from its start on. It must settle soon after `gone`, and its error becomes that of the recording. */
  readonly during?: (live: Live, gone: AbortSignal) => Promise<void>;
}

/** The processes of a recording whose command has started. */
export interface Live {
  /** The process of the command, as this process numbers it. */
  readonly command: number;
  /** That of strace. */
  readonly strace: number;
}

export interface Recording {
  readonly trace: Trace;
  readonly end: CommandEnd;
  /** Whether it did not end within the grace after its stop signal, so that it was killed. */
  readonly wasKilled: boolean;
  /** How long the command and all processes that it started ran, in seconds with three decimals. */
  readonly seconds: number;
  /** The first call by which the command failed to become another user, or to give a file to one; null for none. */
  readonly refusal: Refusal | null;
  /**
   * Paths that calls asked for and that were not there (ENOENT), each once, as `TracedPath`s; of a path that was to be created, also the
   * directory. At most `trace-paths` of them.
   */
  readonly absent: readonly TracedPath[];
}

/** The most bytes of a line that are kept. strace writes no such line with the arguments that it is given. */
const lineLimit = MiB;

/**
 * Runs a command below strace, and reads from a named pipe what strace reports. Resolves when all processes that it started have ended.
 *
 * @throws IO where the command or strace could not be started, TRACE_INVALID
 */
export async function record(options: RecordOptions): Promise<Recording> {
  const { launch, strace, name, stop, output: streams } = options;
  await using cleanup = new AsyncDisposableStack();
  const folder = await makeTemporaryFolder('record');
  cleanup.defer(() => rm(folder, { recursive: true, force: true }));
  const pipe = join(folder, 'strace');
  const output = await makePipe(pipe, '600');
  cleanup.defer(() => void output.destroy());
  const own = streams === undefined ? null : cleanup.use(await OutputPipes.make(folder));

  const filter = new StraceFilter(launch);
  const reader = new TraceReader(name, {
    roots: launch.hostRoot === null ? [] : [utf8Bytes(launch.hostRoot)],
    absent: true,
    user: userOf(launch),
  });
  const command = cleanup.use(new TracedCommand(filter, { ...options, isApart: streams?.isApart === true }));
  const bound = await withParent(launch.env);
  const child = spawnStrace({ ...launch, outside: [...launch.outside, ...bound] }, [...strace, '-o', pipe], {
    stdio: own === null || streams === undefined ? 'inherit' : streams.stdio(own),
    detached: streams?.isApart === true,
  });
  const passed = own === null ? null : streams?.read(own);
  const gone = new AbortController();
  let begun = performance.now();
  let beside: Promise<unknown> = Promise.resolve();
  const ended = command.start(child, pipe);
  for await (const line of lines(output)) {
    const wasBegun = filter.command !== null;
    if (!wasBegun) begun = performance.now();
    const kept = filter.take(own?.hide(line) ?? line);
    if (kept.length === 0) continue;
    reader.write(Buffer.from(`${kept.join('\n')}\n`, 'latin1'));
    if (wasBegun || filter.command === null) continue;
    const live = { command: filter.command, strace: child.pid ?? 0 };
    // Its error is thrown below, when the command has ended.
    beside =
      options.during?.(live, gone.signal).then(
        () => null,
        (error: unknown) => error,
      ) ?? beside;
    // A signal that came before the command had a process could not be sent.
    if (stop.aborted) command.stop();
  }
  const status = await ended;
  gone.abort();
  await passed;
  const failure = await beside;
  if (failure instanceof Error) throw failure;
  if (filter.command === null)
    throw new OcislimError('IO', `the command could not be started: ${launch.program}`, {
      advice: 'Is it in the image, may its user execute it, and is its interpreter there?',
    });
  const seconds = Math.round(performance.now() - begun) / 1000;
  const { end, refusal } = filter;
  const read = reader.end();
  // strace was asked for all calls that show rights.
  const trace = { ...read, rights: { ...read.rights, isComplete: true } };
  return {
    trace,
    end: end ?? { status, signal: null },
    wasKilled: command.wasKilled,
    seconds,
    refusal,
    absent: reader.absent,
  };
}

/** The words that start a program which ends with this process, however this ends: strace kills what it traces then. */
const endsWithParent = ['setpriv', '--pdeathsig', 'KILL', '--'];

/** Returns those words; none where this system has no program for it. */
async function withParent(env: Launch['env']): Promise<readonly string[]> {
  const [program = '', ...args] = endsWithParent;
  return promisify(execFile)(program, [...args, 'true'], { env }).then(
    () => endsWithParent,
    () => [],
  );
}

function spawnStrace(
  { outside, argv, env, filter }: Launch,
  args: readonly string[],
  { stdio = 'inherit', detached }: Pick<SpawnOptions, 'stdio' | 'detached'>,
): ChildProcess {
  const [program = '', ...rest] = [...outside, 'strace', ...args, '--', ...argv];
  if (filter === null) return spawn(program, rest, { stdio, detached, env });
  const streams = typeof stdio === 'string' ? ([stdio, stdio, stdio] as const) : stdio;
  const child = spawn(program, rest, { stdio: [...streams, 'pipe'], detached, env });
  const input = child.stdio[filterDescriptor];
  // A helper that ends before it reads has failed, and says so itself.
  input?.on('error', () => {});
  if (input instanceof Writable) input.end(filter);
  return child;
}

interface TracedOptions extends Pick<RecordOptions, 'stop' | 'grace' | 'kill'> {
  /** Whether strace leads a group of processes of its own. */
  readonly isApart: boolean;
}

/**
 * The processes of a recording: strace, the command, and what the command started. None of them outlives the recording, nor
 * this process: disposal and the end of this process kill those that still live.
 */
class TracedCommand implements Disposable {
  readonly #filter: StraceFilter;
  readonly #options: TracedOptions;
  #strace: ChildProcess | null = null;
  /** Whether strace still runs, so that the numbers of processes are still theirs. */
  #isRunning = false;
  #killing: NodeJS.Timeout | undefined;
  #wasKilled = false;
  readonly #onStop = (): void => this.stop();
  readonly #onExit = (): void => this.#killAll();

  constructor(filter: StraceFilter, options: TracedOptions) {
    this.#filter = filter;
    this.#options = options;
  }

  /** Watches over strace. Resolves to its exit status when it has ended. @throws IO where strace does not start */
  start(strace: ChildProcess, pipe: string): Promise<number> {
    this.#strace = strace;
    this.#isRunning = true;
    process.once('exit', this.#onExit);
    const ended = statusOf(strace, pipe).finally(() => {
      this.#isRunning = false;
    });
    // The caller awaits it after the last line; until then, a rejection must not count as unhandled.
    ended.catch(() => {});
    const { stop, kill } = this.#options;
    stop.addEventListener('abort', this.#onStop);
    kill?.addEventListener('abort', this.#onExit);
    if (stop.aborted) this.stop();
    if (kill?.aborted === true) this.#killAll();
    return ended;
  }

  /** Sends the signal to the command; where it has ended and left other processes, to those. SIGKILL follows. */
  stop(): void {
    const { stop, grace } = this.#options;
    const signal = stop.reason as NodeJS.Signals | null;
    const { command, alive } = this.#filter;
    const pids = command !== null && alive.has(command) ? [command] : [...alive];
    if (signal !== null) for (const pid of pids) send(pid, signal);
    this.#killing ??= setTimeout(() => {
      this.#wasKilled = this.#isRunning;
      this.#killAll();
    }, grace);
  }

  /** Whether the grace after the stop signal ended before the command did. */
  get wasKilled(): boolean {
    return this.#wasKilled;
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#killing);
    this.#options.stop.removeEventListener('abort', this.#onStop);
    this.#options.kill?.removeEventListener('abort', this.#onExit);
    process.off('exit', this.#onExit);
    this.#killAll();
  }

  #killAll(): void {
    if (!this.#isRunning) return;
    for (const pid of this.#filter.alive) send(pid, 'SIGKILL');
    // strace that is killed before it traces leaves a child behind, which waits for it for ever.
    if (this.#options.isApart && this.#strace?.pid !== undefined) send(-this.#strace.pid, 'SIGKILL');
    this.#strace?.kill('SIGKILL');
  }
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // The process has ended.
  }
}

/** Resolves to the exit status of strace. If it ends without opening the pipe, this ends the reading of the pipe. */
function statusOf(strace: ChildProcess, pipe: string): Promise<number> {
  // The reader of a named pipe sees its end when the last writer closes it, so that there must have been one.
  const endReading = (): void =>
    void open(pipe, constants.O_WRONLY | constants.O_NONBLOCK)
      .then((file) => file.close())
      // ENXIO: the reader has closed it.
      .catch(() => {});
  return new Promise((resolve, reject) => {
    strace.on('error', (cause) => {
      endReading();
      reject(new OcislimError('IO', `strace does not start: ${cause.message}`, { cause }));
    });
    strace.on('exit', (status) => {
      endReading();
      resolve(status ?? 1);
    });
  });
}

async function* lines(source: AsyncIterable<Uint8Array>): AsyncGenerator<ByteString> {
  let pending = noBytes;
  for await (const chunk of source) {
    const all = ascii`${pending}${readByteString(chunk)}`.split('\n');
    pending = all.pop() ?? noBytes;
    yield* all;
    if (pending.length > lineLimit) pending = pending.slice(0, lineLimit);
  }
  if (pending !== '') yield pending;
}
