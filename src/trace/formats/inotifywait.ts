import { type ByteString, noBytes, ascii } from '../../bytes/bytes.ts';
import { type Uses, uses } from '../trace.ts';
import { hasLine, type TraceFormat } from '../trace-format.ts';
import type { TraceSink } from '../trace-sink.ts';

/** The events of inotifywait(1). */
const event =
  '(?:ACCESS|MODIFY|ATTRIB|CLOSE_WRITE|CLOSE_NOWRITE|CLOSE|OPEN|MOVED_TO|MOVED_FROM|MOVE_SELF|MOVE|CREATE|DELETE_SELF|DELETE|UNMOUNT|ISDIR|IGNORED)';
/** `WATCHED EVENTS NAME`. The name is there only where a directory is watched. Nothing is escaped. */
const plain = new RegExp(`^(?<watched>[^]*?) (?<events>${event}(?:,${event})*)(?: (?<name>[^]*))?$`);
/** `WATCHED,EVENTS,NAME`. A field with a comma is in quotes. */
const csv = new RegExp(
  `^(?<watched>"(?:[^"]|"")*"|[^,]*),("?)(?<events>${event}(?:,${event})*)\\2,(?<name>"(?:[^"]|"")*"|[^]*)$`,
);
/** Messages of inotifywait about itself. */
const message = /^(?:Setting up watches|Watches established)/;

/** The output of `inotifywait -m`. */
export const inotifywait = outputOf(plain, (field) => field);

/** The output of `inotifywait -m --csv`. */
export const inotifywaitCsv = outputOf(csv, unquote);

function outputOf(pattern: RegExp, fieldOf: (text: ByteString) => ByteString): TraceFormat {
  return {
    name: 'inotifywait',
    unit: 'line',
    detect: (head) => hasLine(head, (line) => pattern.test(line)),
    read: (sink) => ({
      record(text) {
        if (message.test(text)) return true;
        const { watched, events, name = noBytes } = text.match(pattern)?.groups ?? {};
        if (watched === undefined || events === undefined) return false;
        return use(sink, joined(fieldOf(watched), fieldOf(name)), events);
      },
    }),
  };
}

function joined(watched: ByteString, name: ByteString): ByteString {
  if (name === '') return watched;
  return watched.endsWith('/') ? ascii`${watched}${name}` : ascii`${watched}/${name}`;
}

function use(sink: TraceSink, path: ByteString, events: string): boolean {
  return path !== '' && sink.use(path, usesOf(new Set(events.split(','))));
}

function usesOf(events: ReadonlySet<string>): Uses {
  if (events.has('ISDIR')) return events.has('ACCESS') ? uses.list : uses.stat;
  if (events.has('OPEN') || events.has('ACCESS') || events.has('CLOSE_NOWRITE')) return uses.open;
  return uses.write;
}

function unquote(text: ByteString): ByteString {
  return text.startsWith('"') ? text.slice(1, -1).replaceAll('""', ascii`"`) : text;
}
