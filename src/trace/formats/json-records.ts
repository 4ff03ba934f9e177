import { isObject, type JsonObject } from '../../bytes/json-value.ts';
import { parseRecord } from '../json-record.ts';
import type { TraceFormat } from '../trace-format.ts';
import type { TraceSink } from '../trace-sink.ts';

/** The output of a tool that writes JSON objects: one a line, or all in one array. */
export interface JsonRecords {
  readonly name: string;
  /** Returns whether this object, the first of its file, is one of that tool. */
  matches(object: JsonObject): boolean;
  /** Returns a function that reads one object, and returns false for one that makes no sense. */
  read(sink: TraceSink): (object: JsonObject) => boolean;
}

/** Returns the format of files with one object of a tool on each line. */
export function jsonLines(records: JsonRecords): TraceFormat {
  return {
    name: records.name,
    unit: 'line',
    detect: ({ json }) => isObject(json) && records.matches(json),
    read(sink) {
      const read = records.read(sink);
      return {
        record(text) {
          const value = parseRecord(text);
          return isObject(value) && read(value);
        },
      };
    },
  };
}
