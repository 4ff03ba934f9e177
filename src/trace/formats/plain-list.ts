import { uses } from '../trace.ts';
import type { TraceFormat } from '../trace-format.ts';

/** One path a line: `find`, `tar -t`, the lists of nydus and stargz, or written by hand. Everything else failing, this it is. */
export const plainList: TraceFormat = {
  name: 'list',
  unit: 'line',
  detect: () => true,
  read: (sink) => ({
    record(text) {
      if (text.charCodeAt(0) === 0x23) return true;
      const path = text.endsWith('\r') ? text.slice(0, -1) : text;
      return path.trim() === '' || sink.use(path, uses.open, '');
    },
  }),
};

/** Separated by NUL, as `find -print0` writes it: names may hold anything, also line breaks and `#`. */
export const nulList: TraceFormat = {
  name: 'list',
  unit: 'nul',
  detect: ({ text }) => text.includes('\0'),
  read: (sink) => ({ record: (text) => sink.use(text, uses.open, '') }),
};
