import type { ByteString } from '../bytes/bytes.ts';
import type { TraceSink } from './trace-sink.ts';

/** The output of one tool. `formats/all.ts` lists all formats; a trace is read by the first that detects it. */
export interface TraceFormat {
  /** The name in reports: "strace". */
  readonly name: string;
  /** What separates records: line breaks, or NUL. A document is one record. */
  readonly unit: 'line' | 'nul' | 'document';
  /** Returns whether the beginning of a file looks like this format. */
  detect(head: TraceHead): boolean;
  /** Returns a reader of one file, which gives the sink what it finds. */
  read(sink: TraceSink): RecordReader;
}

/** The first bytes of a file. */
export interface TraceHead {
  readonly text: ByteString;
  /** The lines that are whole, without empty ones. */
  readonly lines: readonly ByteString[];
  /** The first line that starts with a brace, parsed; undefined where it is not JSON. */
  readonly json: unknown;
}

/** Reads the records of one file, in their order. */
export interface RecordReader {
  /** Reads one record, which is not empty. Returns false for a record that makes no sense. */
  record(text: ByteString): boolean;
  /** Called after the last record. */
  end?(): void;
}

/** Detection skips longer lines, so that no pattern takes long. */
const longestDetected = 10_000;

/** Returns whether any line of a head matches. */
export function hasLine({ lines }: TraceHead, matches: (line: ByteString) => boolean): boolean {
  return lines.some((line) => line.length < longestDetected && matches(line));
}
