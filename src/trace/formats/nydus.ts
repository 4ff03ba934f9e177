import { uses } from '../trace.ts';
import type { TraceFormat } from '../trace-format.ts';

const header = /^path,size,elapsed\s*$/;

/** The CSV of nydus' optimizer plugin: path, bytes, and when. (The list beside it is a plain one.) */
export const nydus: TraceFormat = {
  name: 'nydus',
  unit: 'line',
  detect: ({ lines: [first = ''] }) => header.test(first),
  read: (sink) => ({
    record(text) {
      if (header.test(text)) return true;
      const path = /^(?:"((?:[^"]|"")*)"|([^]+)),\d+,\d+\r?$/.exec(text);
      if (path === null) return false;
      return sink.use(path[1]?.replaceAll('""', '"') ?? path[2] ?? '', uses.open, '');
    },
  }),
};
