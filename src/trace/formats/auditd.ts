/**
 * Reads the log of the audit daemon, as auditd(8) writes it and as ausearch(8) prints it. `all.ts` offers this format to the
 * trace reader.
 */
import { type ByteString, noBytes, readByteString, ascii } from '../../bytes/bytes.ts';
import { type TracedPath, type Uses, uses } from '../trace.ts';
import type { RecordReader, TraceFormat } from '../trace-format.ts';
import type { TraceSink } from '../trace-sink.ts';
import { tracedPath } from '../traced-path.ts';

/** The start of every line. The groups are the type of the record, and the event that it belongs to: `TIME:SERIAL`. */
const start = /^(?:node=\S+ )?type=([A-Z_0-9]+) msg=audit\(([^)]*)\)/;

/** An event is several lines, in this order: SYSCALL, CWD, PATH. `ausearch -i` shows names in place of numbers. */
export const auditd: TraceFormat = {
  name: 'auditd',
  unit: 'line',
  detect: ({ lines }) => lines.some((line) => start.test(line)),
  read: (sink) => new AuditReader(sink),
};

/** What the lines of an event have said so far. */
interface Event {
  readonly succeeded: boolean;
  readonly uses: Uses;
  /** Null before the line of type CWD. */
  cwd: TracedPath | null;
}

/** The most events that may overlap. On a busy machine a few do, for an instant. */
const openEvents = 64;

class AuditReader implements RecordReader {
  readonly #sink: TraceSink;
  readonly #events = new Map<string, Event>();
  readonly #platforms = new Set<string>();

  constructor(sink: TraceSink) {
    this.#sink = sink;
    sink.knowsExecs = true;
  }

  record(record: ByteString): boolean {
    // log_format=ENRICHED appends names in place of numbers, behind a group separator (auditd.conf(5)).
    const text = record.replace('\x1d', ascii` `);
    const found = start.exec(text);
    if (found === null) return /^(?:-{4,}$|time->)/.test(text);
    const [, type = '', id = ''] = found;
    switch (type) {
      case 'SYSCALL':
        this.#syscall(id, text);
        return true;
      case 'CWD': {
        const event = this.#events.get(id);
        const cwd = value(text, 'cwd');
        if (event !== undefined && cwd !== null) event.cwd = tracedPath(noBytes, cwd);
        return cwd !== null;
      }
      case 'PATH':
        return this.#path(id, text);
      default:
        return true;
    }
  }

  end(): void {
    const [platform = null] = this.#platforms;
    // A log of programs of several architectures does not tell that of the image.
    this.#sink.platform = this.#platforms.size === 1 ? platform : null;
  }

  #syscall(id: string, text: ByteString): void {
    const arch = word(text, 'arch') ?? '';
    const platform = platforms[arch];
    if (platform !== undefined) this.#platforms.add(platform);
    const name = word(text, 'SYSCALL') ?? word(text, 'syscall') ?? '';
    if (this.#events.size >= openEvents) this.#events.delete(this.#events.keys().next().value ?? '');
    this.#events.set(id, {
      succeeded: word(text, 'success') !== 'no',
      uses: usesOf(arch, name),
      cwd: null,
    });
  }

  #path(id: string, text: ByteString): boolean {
    const event = this.#events.get(id);
    if (event?.succeeded === false) return true;
    const name = value(text, 'name');
    if (name === null) return /\bname=\(null\)/.test(text);
    if (name === '') return true;
    const kind = word(text, 'nametype');
    const item = word(text, 'item');
    const directory = event?.cwd ?? this.#sink.start;
    return this.#sink.use(name, kindOf(kind, item, event?.uses ?? uses.open), directory);
  }
}

/** Returns the use of a name by its `nametype`: PARENT is the directory of a name that was created or deleted. */
function kindOf(kind: string | null, item: string | null, how: Uses): Uses {
  if (kind === 'PARENT') return uses.stat;
  if (kind === 'CREATE' || kind === 'DELETE') return uses.write;
  // The second item of an execve is the ELF interpreter, which the kernel opens.
  return how === uses.exec && item !== '0' ? uses.open : how;
}

/** The fields without quotes that are read. `SYSCALL` is the name of the call in an enriched log. */
const words = {
  arch: /\sarch=([^\s"]+)/,
  syscall: /\ssyscall=([^\s"]+)/,
  SYSCALL: /\sSYSCALL=([^\s"]+)/,
  success: /\ssuccess=([^\s"]+)/,
  nametype: /\snametype=([^\s"]+)/,
  item: /\sitem=([^\s"]+)/,
} as const;

function word(text: string, key: keyof typeof words): string | null {
  return words[key].exec(text)?.[1] ?? null;
}

/** The fields that hold names of files. */
const values = {
  name: /\sname=(?:"([^"]*)"|(\S+))/,
  cwd: /\scwd=(?:"([^"]*)"|(\S+))/,
} as const;

/**
 * Returns the name in a field. auditd writes it in quotes, and in hexadecimal where it holds quotes, spaces or bytes beyond
 * ASCII; `ausearch -i` prints it as it is.
 */
function value(text: ByteString, key: keyof typeof values): ByteString | null {
  const found = text.match(values[key]);
  if (found === null) return null;
  const [, quoted, bare = noBytes] = found;
  if (quoted !== undefined) return quoted;
  if (bare === '(null)') return null;
  return /^(?:[0-9A-F]{2})+$/.test(bare) ? readByteString(Buffer.from(bare, 'hex')) : bare;
}

/** Platforms by AUDIT_ARCH_* (include/uapi/linux/audit.h), and by the names that `ausearch -i` prints. */
const platforms: Readonly<Record<string, string>> = {
  c000003e: 'linux/amd64',
  x86_64: 'linux/amd64',
  c00000b7: 'linux/arm64',
  aarch64: 'linux/arm64',
  '40000003': 'linux/386',
  i386: 'linux/386',
  '40000028': 'linux/arm',
  arm: 'linux/arm',
  c0000015: 'linux/ppc64le',
  ppc64le: 'linux/ppc64le',
  '80000016': 'linux/s390x',
  s390x: 'linux/s390x',
  c00000f3: 'linux/riscv64',
  riscv64: 'linux/riscv64',
};

/**
 * How calls use the names of their event: by name, and by number on the two platforms that most logs come from. Every other
 * call counts as opening.
 */
const kinds: readonly (readonly [Uses, names: RegExp, amd64: readonly number[], arm64: readonly number[]])[] =
  [
    [uses.exec, /^execve(?:at)?$/, [59, 322], [221, 281]],
    [uses.link, /^(?:lstat(?:64)?|readlink(?:at)?)$/, [6, 89, 267], [78]],
    [
      uses.stat,
      /^(?:stat(?:64|x|fs)?|newfstatat|fstatat64|f?access(?:at2?)?|chdir|getxattr)$/,
      [4, 21, 80, 137, 191, 262, 269, 332, 439],
      [8, 43, 48, 49, 79, 291, 439],
    ],
  ];

function usesOf(arch: string, syscall: string): Uses {
  const number = /^\d+$/.test(syscall) ? Number(syscall) : null;
  for (const [how, names, amd64, arm64] of kinds) {
    const platform = platforms[arch];
    const numbers = platform === 'linux/amd64' ? amd64 : platform === 'linux/arm64' ? arm64 : [];
    if (number === null ? names.test(syscall) : numbers.includes(number)) return how;
  }
  return uses.open;
}
