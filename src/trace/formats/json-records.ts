import { isObject, type JsonObject } from '../../bytes/json-value.ts';
import { parseRecord } from '../json-record.ts';
import type { TraceFormat } from '../trace-format.ts';
import type { TraceSink } from '../trace-sink.ts';

/** A tool that writes JSON objects: one a line, or several in an array. */
export interface JsonRecords {
  readonly name: string;
  /** Is this object, the first of its file, one of that tool? */
  matches(object: JsonObject): boolean;
  /** False for an object that makes no sense. */
  read(sink: TraceSink): (object: JsonObject) => boolean;
}

/** Those of a tool, one a line. */
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
