/**
 * The root filesystem of an image, unpacked into a private folder for as long as its program runs. It is unpacked by a helper process, which has
 * the users that the program will have, and removed by one, however the run ends; what killed runs left, the next one removes.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { OcislimError } from '../../../errors.ts';
import { makeTemporaryFolder, sweepTemporaries } from '../../../files/temporary.ts';
import type { Limits } from '../../../limits.ts';
import type { ByteStream } from '../../../stream/byte-stream.ts';
import { RootNames } from '../root-names.ts';
import { helperStart } from './helper-process.ts';
import type { Point } from './points.ts';
import { encodeJob, type UnpackFailure, type UnpackJob, type UnpackReply } from './unpack-job.ts';

/** How to unpack a root filesystem. */
export interface PrivateRootOptions {
  /** The tar of the root filesystem. */
  readonly stream: ByteStream;
  /** The words that enter the namespace of users in which the program will run; none for that of this process. */
  readonly outside: readonly string[];
  /** Whether files get their owners: there are all users. */
  readonly owners: boolean;
  readonly points: readonly Point[];
  readonly limits: Limits;
  readonly signal: AbortSignal;
}

/** An unpacked root filesystem. Disposing of it removes it. */
export interface PrivateRoot extends AsyncDisposable {
  /** The private folder around it, for what belongs to the run. */
  readonly folder: string;
  /** The root itself. */
  readonly root: string;
  /** The places that were asked for, free of symlinks, in their order. */
  readonly paths: readonly string[];
  /** The names that the image has. */
  readonly names: RootNames;
  /** What could not be unpacked as the image has it, as rests of sentences. */
  readonly losses: readonly string[];
}

/** Unpacks a root filesystem. @throws IO, LIMIT, LAYER_INVALID, and what the stream throws */
export async function openPrivateRoot(options: PrivateRootOptions): Promise<PrivateRoot> {
  const { outside, owners, points, limits, signal } = options;
  await using cleanup = new AsyncDisposableStack();
  await sweepTemporaries(
    tmpdir(),
    (name) => name === 'ocislim-image',
    (path) => remove(path, outside),
  );
  const folder = await makeTemporaryFolder('image');
  cleanup.defer(() => remove(folder, outside));
  const root = join(folder, 'root');
  await mkdir(root);
  const isRoot = owners && process.getuid?.() === 0;
  const grants = { owners, devices: isRoot, setuid: true, xattrs: owners && (await hasSetfattr()) };
  const reply = await runUnpacker({ folder: root, grants, limits, points }, options);
  signal.throwIfAborted();
  const { unpacked, paths, names } = reply;
  const losses = [
    ...(unpacked.leftOut.length > 0 ? [`${unpacked.leftOut.length} devices and pipes were left out`] : []),
    ...(grants.owners ? [] : ['every file belongs to one user, the only one that there is']),
    ...(grants.xattrs || !owners ? [] : ['extended attributes were left out: setfattr is not installed']),
  ];
  const kept = cleanup.move();
  return {
    folder,
    root,
    paths,
    names: new RootNames(new Map(names)),
    losses,
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

/** Removes a folder, with the rights of the namespace in which it was filled: some of its files may belong to other users. Never fails. */
async function remove(folder: string, outside: readonly string[]): Promise<void> {
  if (outside.length > 0) {
    const [program = '', ...args]: readonly string[] = [...outside, 'rm', '-rf', '--', folder];
    await promisify(execFile)(program, args).catch(() => {});
  }
  await rm(folder, { recursive: true, force: true, maxRetries: 3 }).catch(() => {});
}

async function hasSetfattr(): Promise<boolean> {
  return promisify(execFile)('setfattr', ['--version']).then(
    () => true,
    () => false,
  );
}

/** Runs the helper process, and feeds it. @throws what it failed with, or the stream */
async function runUnpacker(
  job: UnpackJob,
  { stream, outside, signal }: PrivateRootOptions,
): Promise<UnpackReply> {
  const helper = helperStart('unpack-process', import.meta.url);
  const [program = '', ...args]: readonly string[] = [...outside, ...helper.words, encodeJob(job)];
  const child = spawn(program, args, {
    stdio: ['pipe', 'ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'], ...helper.env },
  });
  using _ = { [Symbol.dispose]: () => void child.kill('SIGKILL') };
  const ended = new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', () => resolve());
  });
  const watched = watch(stream);
  const [said, answered] = await Promise.allSettled([
    text(child.stderr as Readable),
    text(child.stdio[3] as Readable),
    feed(child, watched.stream, signal),
    ended,
  ]);
  signal.throwIfAborted();
  // What the layers are is told first: after it, the tar ends early.
  watched.check();
  const answer = answered.status === 'fulfilled' ? answered.value : '';
  if (answer === '') {
    const why = said.status === 'fulfilled' ? (said.value.split('\n', 1)[0] ?? '') : '';
    throw new OcislimError(
      'IO',
      `the image could not be unpacked: ${why || 'the helper process ended early'}`,
    );
  }
  const reply = JSON.parse(answer) as UnpackReply | UnpackFailure;
  if (!('error' in reply)) return reply;
  const { code, message, advice } = reply.error;
  throw new OcislimError(code, message, advice === undefined ? {} : { advice });
}

/** Returns a stream with the bytes of another, and what throws the error of that one, once it has failed. */
function watch(stream: ByteStream) {
  let error: { readonly cause: unknown } | null = null;
  async function* pass(): AsyncGenerator<Uint8Array> {
    try {
      yield* stream;
    } catch (cause) {
      error = { cause };
      throw cause;
    }
  }
  const check = (): void => {
    if (error !== null) throw error.cause;
  };
  return { stream: pass(), check };
}

/** Writes a tar into the helper process. A helper that ends early has failed, and says so itself. */
async function feed(
  child: ChildProcess,
  stream: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<void> {
  if (child.stdin === null) return;
  await pipeline(Readable.from(stream, { objectMode: false }), child.stdin, { signal });
}
