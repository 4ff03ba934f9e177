/**
 * Reads what opensnoop prints, that of bcc and that of bpftrace. `all.ts` offers this format to the trace reader.
 */
import { type ByteString, noBytes } from '../../bytes/bytes.ts';
import { uses } from '../trace.ts';
import type { TraceFormat } from '../trace-format.ts';

/** The line that names the columns. Which there are depends on the options. */
const header = /^(?:[A-Z]+(?:\([a-z]+\))? {1,40}){0,5}PID +COMM +FD +ERR +(?:[A-Z]+ {1,40}){0,5}PATH\s*$/;
/** Messages of the tools about themselves. */
const message = /^(?:Tracing open syscalls|Attach(?:ed|ing) \d+ probes?|Possibly lost \d+)/;

/**
 * The name of a program (COMM) may hold spaces, and the error may be a text (`--errname`). Paths are as the program wrote
 * them, relative ones too, unless opensnoop was called with -F.
 */
export const opensnoop: TraceFormat = {
  name: 'opensnoop',
  unit: 'line',
  detect: ({ lines }) => lines.some((line) => header.test(line)),
  read(sink) {
    let columns: Columns | null = null;
    return {
      record(text) {
        const line = text.endsWith('\r') ? text.slice(0, -1) : text;
        if (header.test(line)) {
          columns = columnsOf(line);
          return true;
        }
        if (message.test(line)) return true;
        const found = columns === null ? null : read(line, columns);
        if (found === null) return false;
        // The opening failed, or opensnoop could not read the path.
        if (found.fd.startsWith('-') || found.path === '') return true;
        return sink.use(found.path, uses.open);
      },
    };
  },
};

/** How the lines behind one header are taken apart. */
interface Columns {
  /** Offsets behind the numbers of FD and ERR, as long as no column overflows. */
  readonly fdEnd: number;
  readonly errorEnd: number;
  /** What follows ERR. The group is the path. */
  readonly rest: RegExp;
  /** A line in which a column overflows. The groups are FD and the path. */
  readonly anywhere: RegExp;
}

/** Spaces between columns. All repetitions are bounded, so that no line takes long. */
const gap = ' {1,40}';

function columnsOf(line: string): Columns {
  const columns = line.trim().split(/ +/);
  const before = columns.indexOf('COMM');
  const after = `(?:[^ ]{1,40}${gap}){${columns.length - columns.indexOf('ERR') - 2}}([^]*)$`;
  return {
    fdEnd: line.indexOf(' FD ') + 3,
    errorEnd: line.indexOf(' ERR ') + 4,
    rest: new RegExp(`^${gap}${after}`),
    anywhere: new RegExp(
      `^ {0,40}(?:[^ ]{1,40}${gap}){${before}}[^]{1,32}?${gap}(-?\\d+)${gap}(?:\\d+|[A-Z][A-Za-z' /-]{0,60}?)${gap}${after}`,
    ),
  };
}

/** Reads a line by its columns, else by its pattern. Null where it fits neither. */
function read(
  line: ByteString,
  { fdEnd, errorEnd, rest, anywhere }: Columns,
): { fd: string; path: ByteString } | null {
  const fd = / (-?\d{1,10})$/.exec(line.slice(0, fdEnd))?.[1];
  if (fd !== undefined && /^ +\d+$/.test(line.slice(fdEnd, errorEnd))) {
    const path = line.slice(errorEnd).match(rest)?.[1];
    if (path !== undefined) return { fd, path };
  }
  const found = line.match(anywhere);
  return found === null ? null : { fd: found[1] ?? '', path: found[2] ?? noBytes };
}
