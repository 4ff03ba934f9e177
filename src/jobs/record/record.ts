import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { constants, openSync } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { OcislimError } from '../../errors.ts';
import type { Trace } from '../../trace/trace.ts';
import { TraceReader } from '../../trace/trace-reader.ts';
import { makeTemporaryFolder } from '../../files/temporary.ts';
import { type ByteString, readByteString, utf8Bytes, ascii, noBytes } from '../../bytes/bytes.ts';
import type { Launch } from './launch.ts';
import { type CommandEnd, StraceFilter } from './strace-filter.ts';
import { MiB } from '../../units.ts';

export interface RecordOptions {
  readonly launch: Launch;
  /** From `straceArguments`. */
  readonly strace: readonly string[];
  /** For messages. */
  readonly name: string;
  /** Ends the command when it aborts; the reason is the name of the signal to send. What was seen is still answered. */
  readonly stop: AbortSignal;
  /** Milliseconds from the signal to SIGKILL. */
  readonly grace: number;
}

export interface Recording {
  readonly trace: Trace;
  readonly end: CommandEnd;
}

const lineLimit = MiB;

/**
 * Runs a command below strace and reads what strace says as it comes, through a named pipe. The command has this process's
 * standard streams. Returns when all that it started has ended.
 *
 * @throws IO when the command could not be started, TRACE_INVALID
 */
export async function record({ launch, strace, name, stop, grace }: RecordOptions): Promise<Recording> {
  const folder = await makeTemporaryFolder('record');
  const pipe = join(folder, 'strace');
  const roots = launch.hostRoot === null ? [] : [utf8Bytes(launch.hostRoot)];
  const reader = new TraceReader(name, { roots });
  const filter = new StraceFilter(launch);
  let child: ChildProcess | null = null;
  let isRunning = true;
  // Nothing that was started outlives this process.
  const killAll = (): void => {
    // Later, its numbers may be those of others.
    if (!isRunning) return;
    for (const pid of filter.alive) send(pid, 'SIGKILL');
    child?.kill('SIGKILL');
  };
  process.once('exit', killAll);
  let killing: NodeJS.Timeout | undefined;
  const onStop = (): void => {
    const signal = stop.reason as NodeJS.Signals | null;
    // The command first; where it has gone and left others behind, those.
    const { command, alive } = filter;
    const pids = command !== null && alive.has(command) ? [command] : [...alive];
    if (signal !== null) for (const pid of pids) send(pid, signal);
    killing ??= setTimeout(killAll, grace);
  };
  try {
    await promisify(execFile)('mkfifo', ['-m', '600', pipe]);
    // For reading, without waiting for who will write.
    const fd = openSync(pipe, constants.O_RDONLY | constants.O_NONBLOCK);
    const socket = new Socket({ fd, readable: true, writable: false });
    child = spawn('strace', [...strace, '-o', pipe, '--', ...launch.argv], {
      stdio: 'inherit',
      env: launch.env,
    });
    const ended = endOf(child, pipe);
    // It is asked for when all has been read.
    ended.catch(() => {});
    stop.addEventListener('abort', onStop);
    if (stop.aborted) onStop();
    for await (const text of lines(socket)) {
      const kept = filter.take(text);
      if (kept.length === 0) continue;
      const wasStopped = stop.aborted && filter.end === null && kept.length > 1;
      reader.write(Buffer.from(`${kept.join('\n')}\n`, 'latin1'));
      // It was stopped before it had begun.
      if (wasStopped) onStop();
    }
    const status = await ended;
    isRunning = false;
    if (filter.command === null)
      throw new OcislimError('IO', `the command could not be started: ${launch.program}`, {
        advice: 'The line above tells why.',
      });
    return { trace: reader.end(), end: filter.end ?? { status, signal: null } };
  } finally {
    clearTimeout(killing);
    stop.removeEventListener('abort', onStop);
    process.off('exit', killAll);
    killAll();
    await rm(folder, { recursive: true, force: true });
  }
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended.
  }
}

/** The exit status of strace. It may end without having opened the pipe, whose reader is then told so. */
function endOf(child: ChildProcess, pipe: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const tell = (): void =>
      void open(pipe, constants.O_WRONLY | constants.O_NONBLOCK)
        .then((file) => file.close())
        // Nobody reads any more.
        .catch(() => {});
    child.on('error', (cause) => {
      tell();
      reject(new OcislimError('IO', `strace does not start: ${cause.message}`, { cause }));
    });
    child.on('exit', (status) => {
      tell();
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
    // Nobody needs a line like this, and strace writes none.
    if (pending.length > lineLimit) pending = pending.slice(0, lineLimit);
  }
  if (pending !== '') yield pending;
}
