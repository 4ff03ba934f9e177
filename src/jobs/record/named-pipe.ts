/**
 * Named pipes, by which this process reads what others write. Node's own pipes are sockets, which a program cannot open by the names
 * `/dev/stdout` and `/dev/stderr`, as servers do that log to the streams of their container.
 */
import { execFile } from 'node:child_process';
import { closeSync, constants, openSync } from 'node:fs';
import { Socket } from 'node:net';
import { basename, dirname } from 'node:path';
import { promisify } from 'node:util';
import type { ByteString } from '../../bytes/bytes.ts';

/** Makes a named pipe with a mode in octal, and opens it for reading. @throws Error from mkfifo(1) and open(2) */
export async function makePipe(path: string, mode: '600' | '666'): Promise<Socket> {
  await promisify(execFile)('mkfifo', ['-m', mode, path]);
  // Without O_NONBLOCK, that would wait for a writer.
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  return new Socket({ fd, readable: true, writable: false });
}

/** Both ends of the pipes that are standard output and standard error of a command. */
export class OutputPipes implements Disposable {
  /** What this process reads: standard output, standard error. */
  readonly readers: readonly [Socket, Socket];
  /** The ends to give to the command, in the same order. */
  readonly writers: readonly [number, number];
  /** How annotations of them end. */
  readonly #ends: readonly string[];
  #isHanded = false;

  private constructor(readers: readonly [Socket, Socket], paths: readonly [string, string]) {
    this.readers = readers;
    this.writers = [openSync(paths[0], constants.O_WRONLY), openSync(paths[1], constants.O_WRONLY)];
    // A program in a namespace of mounts may see the path from the root of the pipe's file system on.
    this.#ends = paths.map((path) => `/${basename(dirname(path))}/${basename(path)}>`);
  }

  /**
   * Makes them in a private folder. Every user may write to them, as the program may become another one and open them again; by their
   * paths only those that see the folder can.
   */
  static async make(folder: string): Promise<OutputPipes> {
    const paths = [`${folder}/stdout`, `${folder}/stderr`] as const;
    const stdout = await makePipe(paths[0], '666');
    const stderr = await makePipe(paths[1], '666');
    return new OutputPipes([stdout, stderr], paths);
  }

  /** Closes the ends that the command has got by now, so that readers see the end when the last process has closed them. */
  handOver(): void {
    if (this.#isHanded) return;
    this.#isHanded = true;
    for (const fd of this.writers) closeSync(fd);
  }

  /** Replaces the paths of these pipes in what strace says of file descriptors: they are no files of an image. */
  hide(line: ByteString): ByteString {
    let text: string = line;
    for (const end of this.#ends)
      if (text.includes(end))
        text = text
          .split(end)
          .map((part, i, { length }) => (i === length - 1 ? part : part.slice(0, part.lastIndexOf('<') + 1)))
          .join('pipe:[0]>');
    return text as ByteString;
  }

  [Symbol.dispose](): void {
    this.handOver();
    for (const reader of this.readers) reader.destroy();
  }
}
