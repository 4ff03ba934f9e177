import { type ByteString, noBytes, readByteString } from '../../bytes/bytes.ts';
import { type JsonObject, memberOf } from '../../bytes/json-value.ts';
import { byteMember } from '../json-record.ts';
import { type Uses, uses } from '../trace.ts';
import { hasLine, type TraceFormat } from '../trace-format.ts';
import type { TraceSink } from '../trace-sink.ts';
import type { JsonRecords } from './json-records.ts';

/** `[TIME ]COMM(PID)[ [UID:GID]]: TYPES PATH[ exe=…]`. The name of a program may hold spaces and parentheses. */
const line = /^(?:[\d:.]+ )?[^]*?\(\d+\)(?: \[\d+:\d+\])?: ([ORWC+D<>]{1,8}) +([^]*)$/;

/** What the kernel appends to the path of a file that was removed while it was open. */
const deleted = ' (deleted)';

/** The output of fatrace(8): what fanotify tells of the whole machine. Paths are free of symlinks. */
export const fatrace: TraceFormat = {
  name: 'fatrace',
  unit: 'line',
  detect: (head) => hasLine(head, (each) => line.test(each)),
  read: (sink) => ({
    record(text) {
      const found = text.match(line);
      if (found === null) return false;
      const [, types = noBytes, rest = noBytes] = found;
      return use(sink, rest.replace(/ exe=\/[^]*$/, ''), types);
    },
  }),
};

/** The output of `fatrace --json`. */
export const fatraceJson: JsonRecords = {
  name: 'fatrace',
  matches: (object) => typeof memberOf(object, 'types') === 'string' && memberOf(object, 'pid') !== undefined,
  read: (sink) => (object) => {
    const types = memberOf(object, 'types');
    if (typeof types !== 'string') return false;
    const path = rawPath(object) ?? byteMember(object, 'path');
    // Of a file that it could not name, fatrace gives `device` and `inode` only.
    return path === null ? memberOf(object, 'inode') !== undefined : use(sink, path, types);
  },
};

/** Reads a path that is not UTF-8, which comes as an array of its bytes. */
function rawPath(object: JsonObject): ByteString | null {
  const bytes = memberOf(object, 'path_raw');
  if (!Array.isArray(bytes) || !bytes.every((byte) => Number.isInteger(byte))) return null;
  return readByteString(Buffer.from(bytes as number[]));
}

/** Reports a use by its types: O opened, R read, C closed; W written, + created, D deleted, < and > moved. */
function use(sink: TraceSink, path: ByteString, types: string): boolean {
  if (path.startsWith('device ')) return true;
  let bits: Uses = 0;
  for (const type of types) bits |= type === 'O' || type === 'R' || type === 'C' ? uses.open : uses.write;
  return (
    bits !== 0 && sink.use(path.endsWith(deleted) ? path.slice(0, -deleted.length) : path, bits, noBytes)
  );
}
