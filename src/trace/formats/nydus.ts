import { ascii, noBytes } from '../../bytes/bytes.ts';
import { uses } from '../trace.ts';
import type { TraceFormat } from '../trace-format.ts';

const header = /^path,size,elapsed\s*$/;

/**
 * The CSV of the optimizer plugin of nydus-snapshotter: path, bytes, and milliseconds since the start. The list of paths that
 * the plugin writes beside it is read by `plain-list.ts`.
 */
export const nydus: TraceFormat = {
  name: 'nydus',
  unit: 'line',
  detect: ({ lines: [first = ''] }) => header.test(first),
  read: (sink) => ({
    record(text) {
      if (header.test(text)) return true;
      const path = text.match(/^(?:"((?:[^"]|"")*)"|([^]+)),\d+,\d+\r?$/);
      if (path === null) return false;
      return sink.use(path[1]?.replaceAll('""', ascii`"`) ?? path[2] ?? noBytes, uses.open, noBytes);
    },
  }),
};
