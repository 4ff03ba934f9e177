import { OcislimError } from '../errors.ts';
import type { Digest } from '../oci/digest.ts';
import { bytesOf, type ByteString, readByteString } from '../bytes/bytes.ts';
import type { Trace, TracedPath, Unreadable, Uses } from './trace.ts';
import { below, started, tracedPath } from './traced-path.ts';
import { MiB } from '../units.ts';

export interface TraceOptions {
  /** Where the program was started, until the trace says something else. Default: not known, see `TracedPath`. */
  readonly workingDir?: ByteString;
  /** Where the root of the container was on the machine that was traced: `--trace-root`. */
  readonly roots?: readonly ByteString[];
  readonly limits?: Partial<TraceLimits>;
}

export interface TraceLimits {
  /** Bytes of a line (record); a longer one is unreadable. */
  readonly line: number;
  /** Bytes of a trace that is one JSON document. */
  readonly document: number;
  /** Distinct paths. */
  readonly paths: number;
}

const defaultLimits: TraceLimits = { line: MiB, document: 256 * MiB, paths: 4_000_000 };

/** From where a process sees the files: after chroot it has another root, and inside of a container there is no prefix. */
export interface View {
  readonly root: TracedPath;
  readonly contained: boolean;
}

const plainView: View = { root: '', contained: false };

/** More names than any kernel has system calls. */
const syscallLimit = 4096;
const sampleLimit = 5;
const sampleLength = 200;

/** Takes what a format finds in one file, and makes a `Trace` of it. */
export class TraceSink {
  readonly file: string;
  readonly limits: TraceLimits;
  /** What relative paths are relative to until more is known, as the tracer saw it. */
  readonly start: TracedPath;
  readonly #roots: readonly TracedPath[];
  readonly #paths = new Map<TracedPath, Uses>();
  readonly #syscalls = new Map<string, number>();
  readonly #samples: Unreadable['samples'][number][] = [];
  #unreadable = 0;
  #outside = 0;
  lines = 0;
  formats: readonly string[] = [];
  platform: string | null = null;
  image: Digest | null = null;
  command: readonly ByteString[] | null = null;
  hasAllSyscalls = false;
  knowsExecs = false;

  constructor(file: string, { workingDir, roots = [], limits = {} }: TraceOptions = {}) {
    this.file = file;
    this.limits = { ...defaultLimits, ...limits };
    this.#roots = roots.map((root) => tracedPath('', root.replace(/^\/+/, '')) ?? '');
    const [root = ''] = this.#roots;
    this.start =
      workingDir === undefined
        ? `${root === '' ? '' : `${root}/`}${started}`
        : (tracedPath(root, workingDir.replace(/^\/+/, '')) ?? '');
  }

  /**
   * A path as a program wrote it, absolute or relative to `directory`, which is as the tracer saw it. False where it is no
   * path.
   */
  use(path: ByteString, uses: Uses, directory: TracedPath = this.start, view: View = plainView): boolean {
    const { root, contained } = view;
    const traced =
      root !== '' && path.startsWith('/')
        ? tracedPath(root, path.replace(/^\/+/, ''))
        : tracedPath(directory, path);
    if (traced === null) return false;
    if (contained || this.#roots.length === 0) {
      this.#add(below(root, traced) ?? traced, uses);
      return true;
    }
    for (const each of this.#roots) {
      const rest = below(each, traced);
      if (rest === null) continue;
      this.#add(rest, uses);
      return true;
    }
    this.#outside++;
    return true;
  }

  /** A `TracedPath` as a file has it, whatever `roots` are. False where it is no path. */
  inside(path: ByteString, uses: Uses): boolean {
    const traced = tracedPath(path === started || path.startsWith(`${started}/`) ? started : '', path);
    if (traced !== null) this.#add(traced, uses);
    return traced !== null;
  }

  /** The root itself is nothing to tell. */
  #add(path: TracedPath, uses: Uses): void {
    if (path === '') return;
    const known = this.#paths.get(path);
    if (known === undefined) {
      if (this.#paths.size >= this.limits.paths)
        throw new OcislimError('LIMIT', `${this.file} names more than ${this.limits.paths} paths`);
      // A slice of a line would keep the whole chunk in memory.
      this.#paths.set(own(path), uses);
    } else if ((known | uses) !== known) this.#paths.set(path, known | uses);
  }

  syscall(name: string, count = 1): void {
    const known = this.#syscalls.get(name);
    if (known !== undefined) this.#syscalls.set(name, known + count);
    else if (this.#syscalls.size < syscallLimit) this.#syscalls.set(own(name), count);
  }

  get syscalls(): ReadonlyMap<string, number> {
    return this.#syscalls;
  }

  /** Counts a record that makes no sense. */
  reject(text: ByteString, line: number): void {
    this.#unreadable++;
    if (this.#samples.length < sampleLimit)
      this.#samples.push({ file: this.file, line, text: own(text.slice(0, sampleLength)) });
  }

  finish(): Trace {
    return {
      name: this.file,
      formats: this.formats,
      platform: this.platform,
      image: this.image,
      paths: this.#paths,
      knowsExecs: this.knowsExecs,
      syscalls: this.#syscalls,
      hasAllSyscalls: this.hasAllSyscalls,
      command: this.command,
      outside: this.#outside,
      lines: this.lines,
      unreadable: { count: this.#unreadable, samples: this.#samples },
    };
  }
}

/** A copy that shares no memory with the text that it was cut from. */
export function own(text: ByteString): ByteString {
  return readByteString(bytesOf(text));
}
