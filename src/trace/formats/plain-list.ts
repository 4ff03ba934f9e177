import { noBytes } from '../../bytes/bytes.ts';
import { uses } from '../trace.ts';
import type { TraceFormat } from '../trace-format.ts';

/**
 * One path a line, and comments that start with `#`: `find`, `tar -t`, the list of nydus, or written by hand. It takes every
 * file that no other format detects.
 */
export const plainList: TraceFormat = {
  name: 'list',
  unit: 'line',
  detect: () => true,
  read: (sink) => ({
    record(text) {
      if (text.charCodeAt(0) === 0x23) return true;
      const path = text.endsWith('\r') ? text.slice(0, -1) : text;
      return path.trim() === '' || sink.use(path, uses.open, noBytes);
    },
  }),
};

/** Paths separated by NUL, as `find -print0` writes them. Names may hold any other byte, also line breaks and `#`. */
export const nulList: TraceFormat = {
  name: 'list',
  unit: 'nul',
  detect: ({ text }) => text.includes('\0'),
  read: (sink) => ({ record: (text) => sink.use(text, uses.open, noBytes) }),
};
