import type { ByteString } from '../../bytes/bytes.ts';
import { type Uses, uses } from '../trace.ts';
import type { TraceFormat } from '../trace-format.ts';
import type { TraceSink } from '../trace-sink.ts';

const event =
  '(?:ACCESS|MODIFY|ATTRIB|CLOSE_WRITE|CLOSE_NOWRITE|CLOSE|OPEN|MOVED_TO|MOVED_FROM|MOVE_SELF|MOVE|CREATE|DELETE_SELF|DELETE|UNMOUNT|ISDIR|IGNORED)';
/** `watched EVENTS name`; the name is there only where a directory is watched. Nothing is escaped. */
const plain = new RegExp(`^([^]*?) (${event}(?:,${event})*)(?: ([^]*))?$`);
/** `watched,EVENTS,name`; quotes where there is a comma. */
const csv = new RegExp(`^("(?:[^"]|"")*"|[^,]*),("?)(${event}(?:,${event})*)\\2,("(?:[^"]|"")*"|[^]*)$`);
const aside = /^(?:Setting up watches|Watches established)/;

/** `inotifywait -m`. */
export const inotifywait: TraceFormat = {
  name: 'inotifywait',
  unit: 'line',
  detect: ({ lines }) => lines.some((line) => line.length < 10_000 && plain.test(line)),
  read: (sink) => ({
    record(text) {
      if (aside.test(text)) return true;
      const found = plain.exec(text);
      if (found === null) return false;
      const [, watched = '', events = '', name = ''] = found;
      return used(sink, watched, events, name);
    },
  }),
};

/** With --csv. */
export const inotifywaitCsv: TraceFormat = {
  name: 'inotifywait',
  unit: 'line',
  detect: ({ lines }) => lines.some((line) => line.length < 10_000 && csv.test(line)),
  read: (sink) => ({
    record(text) {
      if (aside.test(text)) return true;
      const found = csv.exec(text);
      if (found === null) return false;
      const [, watched = '', , events = '', name = ''] = found;
      return used(sink, unquote(watched), events, unquote(name));
    },
  }),
};

function used(sink: TraceSink, watched: ByteString, events: string, name: ByteString): boolean {
  const path = name === '' ? watched : watched.endsWith('/') ? watched + name : `${watched}/${name}`;
  return path !== '' && sink.use(path, usesOf(new Set(events.split(','))));
}

function usesOf(events: ReadonlySet<string>): Uses {
  if (events.has('ISDIR')) return events.has('ACCESS') ? uses.list : uses.stat;
  if (events.has('OPEN') || events.has('ACCESS') || events.has('CLOSE_NOWRITE')) return uses.open;
  return uses.write;
}

function unquote(text: ByteString): ByteString {
  return text.startsWith('"') ? text.slice(1, -1).replaceAll('""', '"') : text;
}
