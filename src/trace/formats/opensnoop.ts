import { uses } from '../trace.ts';
import type { TraceFormat } from '../trace-format.ts';

const header = /^(?:[A-Z]+(?:\([a-z]+\))? {1,40}){0,5}PID +COMM +FD +ERR +(?:[A-Z]+ {1,40}){0,5}PATH\s*$/;
const aside = /^(?:Tracing open syscalls|Attach(?:ed|ing) \d+ probes?|Possibly lost \d+)/;

/**
 * `opensnoop` of bcc and of bpftrace. The header says which columns there are. The name of the program may hold spaces, the
 * error may be a text (`--errname`); relative paths stay so unless it was called with -F.
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
        if (aside.test(line)) return true;
        const found = columns === null ? null : read(line, columns);
        if (found === null) return false;
        // A failure, or a path that could not be read.
        if (found.fd.startsWith('-') || found.path === '') return true;
        return sink.use(found.path, uses.open);
      },
    };
  },
};

interface Columns {
  /** Where the numbers of FD and ERR end, as long as no column overflows. */
  readonly fdEnd: number;
  readonly errorEnd: number;
  /** What follows ERR. */
  readonly rest: RegExp;
  readonly anywhere: RegExp;
}

/** No line takes long: all is bounded. */
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

function read(
  line: string,
  { fdEnd, errorEnd, rest, anywhere }: Columns,
): { fd: string; path: string } | null {
  const fd = / (-?\d{1,10})$/.exec(line.slice(0, fdEnd))?.[1];
  if (fd !== undefined && /^ +\d+$/.test(line.slice(fdEnd, errorEnd))) {
    const path = rest.exec(line.slice(errorEnd))?.[1];
    if (path !== undefined) return { fd, path };
  }
  const found = anywhere.exec(line);
  return found === null ? null : { fd: found[1] ?? '', path: found[2] ?? '' };
}
