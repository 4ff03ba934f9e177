import { OcislimError } from '../errors.ts';
import { type ByteString, readByteString } from '../bytes/bytes.ts';
import { formats } from './formats/all.ts';
import { parseRecord } from './json-record.ts';
import type { Trace } from './trace.ts';
import type { RecordReader, TraceFormat, TraceHead } from './trace-format.ts';
import { own, type TraceOptions, TraceSink } from './trace-sink.ts';

/** What detection may see. */
const headLength = 64 << 10;
const headLines = 500;

/**
 * Reads one trace of any format, in chunks of bytes as they come. It keeps each distinct path once, and nothing else that
 * grows with the file (but for a trace that is one JSON document, which it holds whole, up to a limit).
 */
export class TraceReader {
  readonly #sink: TraceSink;
  /** Bytes whose record is not whole yet; before the format is known, all of them. */
  #pending = '';
  #parts: ByteString[] = [];
  #partsLength = 0;
  #format: TraceFormat | null = null;
  #reader: RecordReader | null = null;
  /** Within a line that is too long. */
  #skipping = false;
  #line = 0;

  constructor(file: string, options: TraceOptions = {}) {
    this.#sink = new TraceSink(file, options);
  }

  /** @throws LIMIT, TRACE_INVALID */
  write(chunk: Uint8Array): void {
    this.#take(readByteString(chunk));
  }

  /** What was read. It may be without any path: see `checkTrace`. @throws LIMIT, TRACE_INVALID */
  end(): Trace {
    if (this.#format === null) this.#begin();
    const { unit, name } = this.#format as unknown as TraceFormat;
    if (unit === 'document') this.#document();
    else if (this.#pending !== '' || this.#skipping) this.#record(this.#pending);
    this.#reader?.end?.();
    if (this.#sink.lines > 0 && this.#sink.formats.length === 0) this.#sink.formats = [name];
    const trace = this.#sink.finish();
    if (trace.unreadable.count * 2 > trace.lines) throw mostlyUnreadable(trace, name);
    return trace;
  }

  #take(text: ByteString): void {
    if (this.#format === null) {
      this.#pending += text;
      if (this.#pending.length < headLength) return;
      this.#begin();
    } else if (this.#format.unit === 'document') {
      this.#part(text);
    } else {
      this.#split(text);
    }
  }

  /** Enough is known to tell the format. */
  #begin(): void {
    const all = this.#pending.startsWith('\xef\xbb\xbf') ? this.#pending.slice(3) : this.#pending;
    const head = headOf(all);
    this.#format = formats.find((each) => each.detect(head)) as TraceFormat;
    this.#reader = this.#format.read(this.#sink);
    this.#pending = '';
    if (all !== '') this.#take(all);
  }

  #split(text: ByteString): void {
    const separator = this.#format?.unit === 'nul' ? '\0' : '\n';
    let start = 0;
    for (let end = text.indexOf(separator); end >= 0; end = text.indexOf(separator, start)) {
      const rest = text.slice(start, end);
      start = end + 1;
      this.#record(this.#skipping || this.#pending !== '' ? this.#pending + rest : rest);
      this.#skipping = false;
      this.#pending = '';
    }
    if (this.#skipping) return;
    this.#pending += text.slice(start);
    if (this.#pending.length > this.#sink.limits.line) {
      // Enough to show it; it is told as unreadable where it ends.
      this.#pending = own(this.#pending.slice(0, 200));
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
    const { document } = this.#sink.limits;
    if (this.#partsLength > document)
      throw new OcislimError(
        'LIMIT',
        `${this.#sink.file} is one JSON document of more than ${document} bytes`,
      );
    this.#parts.push(text);
  }

  #document(): void {
    const text = this.#parts.join('');
    this.#parts = [];
    this.#sink.lines = 1;
    if (this.#reader?.record(text) === true) return;
    throw new OcislimError(
      'TRACE_INVALID',
      `${this.#sink.file} is no trace: it looks like JSON, but is of no form that is known`,
      { advice: 'See docs/traces.md for what can be read.' },
    );
  }
}

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
    `${trace.name} was taken for a trace of the form "${format}", but ${count} of ${trace.lines} lines make no sense; ${shown.join('; ')}`,
    { advice: 'See docs/traces.md for what can be read.' },
  );
}
