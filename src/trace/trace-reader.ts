/**
 * Reads trace files: splits them into records, finds out their format, and hands the records to its reader. The commands that
 * take `--trace`, and `trace record`, create one reader for each file or stream.
 */
import { OcislimError } from '../errors.ts';
import { exceeded } from '../limits.ts';
import { type ByteString, readByteString, noBytes, ascii, joinBytes } from '../bytes/bytes.ts';
import { formats } from './formats/all.ts';
import { gapsOf } from './formats/gaps.ts';
import { parseRecord } from './json-record.ts';
import { traceFile } from './trace-file.ts';
import type { Trace, TracedPath } from './trace.ts';
import type { RecordReader, TraceFormat, TraceHead } from './trace-format.ts';
import { own } from './own-copy.ts';
import { type TraceOptions, TraceSink } from './trace-sink.ts';
import { KiB } from '../units.ts';

/** The most bytes and lines from the beginning of a file that detection sees. */
const headLength = 64 * KiB;
const headLines = 500;
/** Bytes of a line beyond the limit that are kept to be shown. */
const shownLength = 200;

/**
 * Reads one trace of any format, from chunks of any size. Memory grows with the number of distinct paths only, except for a
 * trace that is one JSON document, which is held whole up to a limit.
 */
export class TraceReader {
  readonly #sink: TraceSink;
  /** Bytes whose record is not complete yet. Before the format is known, all bytes. */
  #pending = noBytes;
  /** The bytes of a document. */
  #parts: ByteString[] = [];
  #partsLength = 0;
  #format: TraceFormat | null = null;
  #reader: RecordReader | null = null;
  /** Whether the current line is too long, so that the rest of it is skipped. */
  #skipping = false;
  /** Number of the last line that was read, from 1. */
  #line = 0;

  readonly #fileSize: number | null;

  constructor(file: string, options: TraceOptions = {}) {
    this.#sink = new TraceSink(file, options);
    this.#fileSize = options.size ?? null;
  }

  /** Takes the next bytes. @throws LIMIT, TRACE_INVALID */
  write(chunk: Uint8Array): void {
    this.#take(readByteString(chunk));
  }

  /**
   * Returns the trace after the last chunk. It may be without any path: see `checkTrace`.
   * @throws LIMIT, and TRACE_INVALID where more than half of the lines make no sense
   */
  end(): Trace {
    if (this.#format === null) this.#begin();
    const { unit, name } = this.#format as unknown as TraceFormat;
    if (unit === 'document') this.#document();
    else if (this.#pending !== '' || this.#skipping) this.#record(this.#pending);
    this.#reader?.end?.();
    if (this.#sink.lines > 0 && this.#sink.formats.length === 0) this.#sink.formats = [name];
    const read = this.#sink.finish();
    // A trace file brings the gaps of the formats that it was read from.
    const more = name === traceFile.name ? [] : gapsOf(read.formats, read);
    const trace = { ...read, gaps: [...read.gaps, ...more] };
    if (trace.unreadable.count * 2 > trace.lines) throw mostlyUnreadable(trace, name);
    return trace;
  }

  /** The names that calls did not find, in the order in which they were asked for first. Empty unless the options say `absent`. */
  get absent(): readonly TracedPath[] {
    return this.#sink.absent;
  }

  #take(text: ByteString): void {
    if (this.#format === null) {
      this.#pending = ascii`${this.#pending}${text}`;
      if (this.#pending.length < headLength) return;
      this.#begin();
    } else if (this.#format.unit === 'document') {
      this.#part(text);
    } else {
      this.#split(text);
    }
  }

  /** Finds out the format, and reads the bytes that waited for it. */
  #begin(): void {
    // A byte order mark, as some editors put at the beginning of UTF-8.
    const all = this.#pending.startsWith('\xef\xbb\xbf') ? this.#pending.slice(3) : this.#pending;
    const head = headOf(all);
    this.#format = formats.find((each) => each.detect(head)) as TraceFormat;
    this.#reader = this.#format.read(this.#sink);
    this.#pending = noBytes;
    if (all !== '') this.#take(all);
  }

  #split(text: ByteString): void {
    const separator = this.#format?.unit === 'nul' ? '\0' : '\n';
    let start = 0;
    for (let end = text.indexOf(separator); end >= 0; end = text.indexOf(separator, start)) {
      const rest = text.slice(start, end);
      start = end + 1;
      this.#record(this.#skipping || this.#pending !== '' ? ascii`${this.#pending}${rest}` : rest);
      this.#skipping = false;
      this.#pending = noBytes;
    }
    if (this.#skipping) return;
    this.#pending = ascii`${this.#pending}${text.slice(start)}`;
    if (this.#pending.length > this.#sink.limits.line) {
      // It is counted as unreadable where it ends.
      this.#pending = own(this.#pending.slice(0, shownLength));
      this.#skipping = true;
    } else this.#pending = own(this.#pending);
  }

  #record(text: ByteString): void {
    this.#line++;
    if (text === '' || text === '\r') return;
    this.#sink.lines++;
    const isTooLong = this.#skipping || text.length > this.#sink.limits.line;
    if (isTooLong || this.#reader?.record(text) !== true) this.#sink.reject(text, this.#line);
  }

  #part(text: ByteString): void {
    this.#partsLength += text.length;
    const { file, limits } = this.#sink;
    if (this.#partsLength > limits['trace-bytes'])
      throw exceeded('trace-bytes', limits, file, {
        says: `it is one JSON document of more than ${limits['trace-bytes']} bytes`,
        ...(this.#fileSize === null ? { atLeast: this.#partsLength } : { needed: this.#fileSize }),
      });
    this.#parts.push(text);
  }

  #document(): void {
    const text = joinBytes(this.#parts, '');
    this.#parts = [];
    this.#sink.lines = 1;
    if (this.#reader?.record(text) === true) return;
    throw new OcislimError(
      'TRACE_INVALID',
      `${this.#sink.file} is not a trace: it looks like JSON, but not like that of any supported tool`,
      { advice: supported },
    );
  }
}

const supported = 'See docs/traces.md for the supported formats.';

function headOf(text: ByteString): TraceHead {
  const head = text.slice(0, headLength);
  const whole = text.length <= headLength;
  const all = head.split('\n', headLines);
  if (!whole && all.length < headLines) all.pop();
  const lines = all.map((line) => line.replace(/\r$/, '')).filter((line) => line.trim() !== '');
  const object = lines.find((line) => line.startsWith('{'));
  return { text: head, lines, json: object === undefined ? undefined : parseRecord(object) };
}

function mostlyUnreadable(trace: Trace, format: string): OcislimError {
  const { count, samples } = trace.unreadable;
  const shown = samples.map(
    ({ line, text }) => `line ${line}: ${Buffer.from(text, 'latin1').toString('utf8')}`,
  );
  return new OcislimError(
    'TRACE_INVALID',
    `${trace.name} looks like a trace in the format "${format}", but ${count} of ${trace.lines} lines make no sense; ${shown.join('; ')}`,
    { advice: supported },
  );
}
