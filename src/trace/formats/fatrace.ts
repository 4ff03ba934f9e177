import type { ByteString } from '../../bytes/bytes.ts';
import { type JsonObject, memberOf } from '../../bytes/json-value.ts';
import { byteMember } from '../json-record.ts';
import { type Uses, uses } from '../trace.ts';
import type { TraceFormat } from '../trace-format.ts';
import type { TraceSink } from '../trace-sink.ts';
import type { JsonRecords } from './json-records.ts';

/** `[TIME ]comm(pid)[ [uid:gid]]: TYPES path[ exe=…]`; names of programs may hold spaces and parentheses. */
const line = /^(?:[\d:.]+ )?[^]*?\(\d+\)(?: \[\d+:\d+\])?: ([ORWC+D<>]{1,8}) +([^]*)$/;

/** `fatrace`: what fanotify tells of the whole machine; paths are where symlinks lead. */
export const fatrace: TraceFormat = {
  name: 'fatrace',
  unit: 'line',
  detect: ({ lines }) => lines.some((each) => each.length < 10_000 && line.test(each)),
  read: (sink) => ({
    record(text) {
      const found = line.exec(text);
      if (found === null) return false;
      const [, types = '', rest = ''] = found;
      return used(sink, rest.replace(/ exe=\/[^]*$/, ''), types);
    },
  }),
};

/** `fatrace --json`. */
export const fatraceJson: JsonRecords = {
  name: 'fatrace',
  matches: (object) => typeof memberOf(object, 'types') === 'string' && memberOf(object, 'pid') !== undefined,
  read: (sink) => (object) => {
    const types = memberOf(object, 'types');
    if (typeof types !== 'string') return false;
    const path = rawPath(object) ?? byteMember(object, 'path');
    // A file that it could not name: only `device` and `inode`.
    return path === null ? memberOf(object, 'inode') !== undefined : used(sink, path, types);
  },
};

/** A name that is not UTF-8 comes as its bytes. */
function rawPath(object: JsonObject): ByteString | null {
  const bytes = memberOf(object, 'path_raw');
  if (!Array.isArray(bytes) || !bytes.every((byte) => Number.isInteger(byte))) return null;
  return Buffer.from(bytes as number[]).toString('latin1');
}

function used(sink: TraceSink, path: ByteString, types: string): boolean {
  if (path.startsWith('device ')) return true;
  let bits: Uses = 0;
  for (const type of types) bits |= type === 'O' || type === 'R' || type === 'C' ? uses.open : uses.write;
  return bits !== 0 && sink.use(path.endsWith(' (deleted)') ? path.slice(0, -10) : path, bits, '');
}
