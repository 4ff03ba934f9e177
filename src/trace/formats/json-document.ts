import { utf8Bytes, noBytes } from '../../bytes/bytes.ts';
import { isObject } from '../../bytes/json-value.ts';
import { parseRecord, recordText } from '../json-record.ts';
import { uses } from '../trace.ts';
import type { TraceFormat } from '../trace-format.ts';
import { isContainerReport, readContainerReport } from './creport.ts';
import type { JsonRecords } from './json-records.ts';

/**
 * Returns the format of files that are one JSON value: the report of SlimToolkit, a list of paths (`soci create --prefetch-files-json`), an array of
 * the objects of one tool, or one such object that is written over several lines. `records` are the tools.
 */
export function jsonDocument(records: readonly JsonRecords[]): TraceFormat {
  return {
    name: 'json',
    unit: 'document',
    detect: ({ text, json }) =>
      /^\s*\[\s*["{\]]/.test(text) ||
      (/^\s*\{\s*["}]/.test(text) && (!isObject(json) || isContainerReport(json))),
    read: (sink) => ({
      record(text) {
        const value = parseRecord(text);
        if (isObject(value) && isContainerReport(value)) {
          sink.formats = ['creport'];
          return readContainerReport(value, sink);
        }
        const list: readonly unknown[] = Array.isArray(value) ? value : [value];
        if (list.every((each) => typeof each === 'string')) {
          sink.formats = ['soci'];
          sink.lines = list.length;
          list.forEach((path) => sink.use(utf8Bytes(path), uses.open, noBytes));
          return true;
        }
        const first = list.find(isObject);
        const found = records.find((each) => first !== undefined && each.matches(first));
        if (found === undefined) return false;
        sink.formats = [found.name];
        const read = found.read(sink);
        sink.lines = list.length;
        list.forEach((each, i) => {
          if (!isObject(each) || !read(each)) sink.reject(utf8Bytes(recordText(each)), i + 1);
        });
        return true;
      },
    }),
  };
}
