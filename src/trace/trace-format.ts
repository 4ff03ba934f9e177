import type { ByteString } from '../bytes/bytes.ts';
import type { TraceSink } from './trace-sink.ts';

/** What one tool writes. */
export interface TraceFormat {
  /** As reports name it. */
  readonly name: string;
  /** What its records are: lines, NUL-separated, or the whole file. */
  readonly unit: 'line' | 'nul' | 'document';
  /** Does the beginning of a file look like it? Formats are asked in the order of `formats`. */
  detect(head: TraceHead): boolean;
  read(sink: TraceSink): RecordReader;
}

/** The first bytes of a file. */
export interface TraceHead {
  readonly text: ByteString;
  /** Those that are whole, without empty ones. */
  readonly lines: readonly ByteString[];
  /** The first line that starts with a brace, parsed; undefined where it is no JSON. */
  readonly json: unknown;
}

export interface RecordReader {
  /** False for a record that makes no sense. Records are never empty. */
  record(text: ByteString): boolean;
  /** After the last one. */
  end?(): void;
}
