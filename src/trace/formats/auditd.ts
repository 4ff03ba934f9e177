/**
 * Reads the log of the audit daemon, as auditd(8) writes it and as ausearch(8) prints it. `all.ts` offers this format to the
 * trace reader.
 */
import { type ByteString, noBytes, readByteString, ascii } from '../../bytes/bytes.ts';
import { type TracedPath, type Uses, uses } from '../trace.ts';
import type { RecordReader, TraceFormat } from '../trace-format.ts';
import type { TraceSink } from '../trace-sink.ts';
import { tracedPath } from '../traced-path.ts';
import { callOf, callOfRing, flagsOf, platforms } from './auditd-calls.ts';
import { errorName } from './errno.ts';
import { mayOpenFiles } from './rings.ts';
import { type Call, calls, type Target, usesOfOpen } from './strace-calls.ts';
import { targetsOf, usesOfFailure, usesOfOne } from './strace-failures.ts';

/** The start of every line. The groups are the type of the record, and the event that it belongs to: `TIME:SERIAL`. */
const start = /^(?:node=\S+ )?type=([A-Z_0-9]+) msg=audit\(([^)]*)\)/;

/** An event is several lines, in this order: SYSCALL or URINGOP, CWD, PATH. `ausearch -i` shows names in place of numbers. */
export const auditd: TraceFormat = {
  name: 'auditd',
  unit: 'line',
  detect: ({ lines }) => lines.some((line) => start.test(line)),
  read: (sink) => new AuditReader(sink),
};

/** What the lines of an event have said so far. */
interface Event {
  readonly call: Call;
  /** The name of its error; null for a call that succeeded. */
  readonly error: string | null;
  /** The flags of an opening; '' for another call, and where the event does not have them. */
  readonly flags: string;
  /** The arguments a0 to a3. */
  readonly args: readonly (string | null)[];
  /** Null before the line of type CWD. */
  cwd: TracedPath | null;
  /** The name that the call takes away or links to; null before its line. */
  from: TracedPath | null;
}

/** The most events that may overlap. On a busy machine a few do, for an instant. */
const openEvents = 64;

/** AT_SYMLINK_NOFOLLOW (include/uapi/linux/fcntl.h). */
const noFollow = 0x100;

/** What a call counts as whose number is not known. */
const unknown = calls.get('open') as Call;

class AuditReader implements RecordReader {
  readonly #sink: TraceSink;
  readonly #events = new Map<string, Event>();
  readonly #platforms = new Set<string>();
  /** Whether a ring was set up through which files may be opened, and whether the log has what was done through one. */
  readonly #rings = { made: false, shown: false };

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
      case 'URINGOP':
        this.#rings.shown = true;
        this.#begin(id, text, callOfRing(word(text, 'uring_op') ?? ''), '');
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
    if (this.#rings.made && !this.#rings.shown) this.#sink.noteRing();
  }

  #syscall(id: string, text: ByteString): void {
    const arch = word(text, 'arch') ?? '';
    const platform = platforms.get(arch);
    if (platform !== undefined) this.#platforms.add(platform);
    const call = callOf(arch, word(text, 'SYSCALL') ?? word(text, 'syscall') ?? '');
    const event = this.#begin(id, text, call, arch);
    if (call?.kind !== 'ring' || event.error !== null) return;
    const program = word(text, 'comm') ?? '';
    const entries = Number.parseInt(event.args[0] ?? '', 16);
    if (mayOpenFiles({ program, entries, polls: false })) this.#rings.made = true;
  }

  #begin(id: string, text: ByteString, call: Call | null, arch: string): Event {
    const args = (['a0', 'a1', 'a2', 'a3'] as const).map((key) => word(text, key));
    const flags = call?.kind === 'open' && call.flags !== null ? (args[call.flags] ?? null) : null;
    const event: Event = {
      call: call ?? unknown,
      error: word(text, 'success') === 'no' ? errorOf(text) : null,
      // The third argument of openat2 is a structure.
      flags: flags === null || (call?.kind === 'open' && isOpenat2(call)) ? '' : flagsOf(arch, flags),
      args,
      cwd: null,
      from: null,
    };
    if (this.#events.size >= openEvents) this.#events.delete(this.#events.keys().next().value ?? '');
    this.#events.set(id, event);
    return event;
  }

  #path(id: string, text: ByteString): boolean {
    const event = this.#events.get(id) ?? null;
    const name = value(text, 'name');
    if (name === null) return /\bname=\(null\)/.test(text);
    if (name === '') return true;
    const kind = word(text, 'nametype');
    const how = usesOf(event, kind, word(text, 'item'));
    if (how === 0) return true;
    // A descriptor that the name is relative to is a number, which no line explains.
    if (event !== null && !name.startsWith('/') && isRelative(event, kind)) return event.error !== null;
    const directory = event?.cwd ?? this.#sink.start;
    if (event !== null && event.error === null) this.#change(event, kind, name, directory);
    return this.#sink.use(name, how, directory);
  }

  /** Notes what was renamed or linked: the line of the old name comes before that of the new one. */
  #change(event: Event, kind: string | null, name: ByteString, directory: TracedPath): void {
    if (event.call.kind !== 'use' || event.call.change?.kind !== 'move' || kind === 'PARENT') return;
    const found = this.#sink.locate(name, directory);
    if (found === null || found === 'outside' || found.path === '') return;
    if (kind !== 'CREATE') event.from ??= found.path;
    else if (event.from !== null && event.from !== found.path)
      this.#sink.change({ kind: 'moved', path: found.path, from: event.from });
  }
}

const isOpenat2 = (call: Call): boolean => call === calls.get('openat2');

/** Returns the name of the error of a call: `exit=-13`, or `exit=EACCES(Permission denied)` by `ausearch -i`. */
function errorOf(text: ByteString): string {
  const exit = word(text, 'exit') ?? '';
  return /^-\d+$/.test(exit) ? errorName(Number(exit)) : (/^E[A-Z0-9]+/.exec(exit)?.[0] ?? '');
}

/** Returns whether a name of the event counts from a descriptor other than the working directory. */
function isRelative({ call, args }: Event, kind: string | null): boolean {
  const targets: readonly Target[] = targetsOf(call);
  const target = kind === 'CREATE' ? targets.at(-1) : targets[0];
  const directory = target?.directory == null ? null : (args[target.directory] ?? null);
  return directory !== null && directory !== 'AT_FDCWD' && !/^(?:0x)?(?:f{8})?f{6}9c$/.test(directory);
}

/**
 * Returns the use of a name by the call and its `nametype`: PARENT is the directory of a name that was created or deleted. 0 for a name
 * that a call which failed says nothing about.
 */
function usesOf(event: Event | null, kind: string | null, item: string | null): Uses {
  if (event === null) return ofKind(kind, uses.open);
  const { call, error, flags } = event;
  if (error !== null) {
    if (kind === 'PARENT') return 0;
    const failure = { call, error, openFlags: flags };
    if (call.kind === 'socket') return usesOfOne(failure, call.uses);
    const found = usesOfFailure(failure);
    return (kind === 'CREATE' ? found.at(-1) : found[0]) ?? 0;
  }
  // The second item of an execve is the ELF interpreter, which the kernel opens.
  if (call.kind === 'exec') return item === '0' ? uses.exec : uses.open;
  return ofKind(kind, usesOfSuccess(event));
}

function usesOfSuccess({ call, flags, args }: Event): Uses {
  if (call.kind === 'socket') return call.uses;
  const [target] = targetsOf(call);
  if (target === undefined) return uses.stat;
  if (call.kind === 'open') return target.uses | (call.flags === null ? 0 : usesOfOpen(flags));
  const more = target.flags === null ? '' : (args[target.flags] ?? '');
  if (!/NOFOLLOW/.test(more) && (Number.parseInt(more, 16) & noFollow) === 0) return target.uses;
  return target.uses === uses.stat ? uses.link : target.uses | uses.link;
}

function ofKind(kind: string | null, how: Uses): Uses {
  if (kind === 'PARENT') return uses.stat;
  return kind === 'CREATE' || kind === 'DELETE' ? uses.write | (how & uses.link) : how;
}

/** The fields without quotes that are read. `SYSCALL` is the name of the call in an enriched log. */
const words = {
  arch: /\sarch=([^\s"]+)/,
  syscall: /\ssyscall=([^\s"]+)/,
  SYSCALL: /\sSYSCALL=([^\s"]+)/,
  uring_op: /\suring_op=([^\s"]+)/,
  success: /\ssuccess=([^\s"]+)/,
  exit: /\sexit=([^\s"]+)/,
  nametype: /\snametype=([^\s"]+)/,
  item: /\sitem=([^\s"]+)/,
  comm: /\scomm="?([^\s"]+)/,
  a0: /\sa0=([^\s"]+)/,
  a1: /\sa1=([^\s"]+)/,
  a2: /\sa2=([^\s"]+)/,
  a3: /\sa3=([^\s"]+)/,
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
