/**
 * Reads the metadata of a Python distribution ("Core metadata specifications" of packaging.python.org): headers in the form of e-mail.
 * `python.ts` calls it for METADATA and PKG-INFO.
 */
import { type ByteString, readByteString, utf8Text } from '../../bytes/bytes.ts';
import { KiB } from '../../units.ts';

/** What the headers say. */
export interface Metadata {
  readonly name: ByteString | null;
  readonly version: string | null;
  readonly licences: readonly string[];
  readonly supplier: string | null;
}

/** The bytes in which headers are looked for: the description, which comes last, may be long. */
const headBytes = 64 * KiB;

/** The longest text that is taken for the name of a licence: some distributions state all of its text. */
const longestLicence = 200;

const none: Metadata = { name: null, version: null, licences: [], supplier: null };

/** Returns what the headers say; nothing for contents that are not known. */
export function readMetadata(contents: Uint8Array | null): Metadata {
  if (contents === null) return none;
  const headers = headersIn(readByteString(contents, 0, Math.min(contents.length, headBytes)));
  const text = (name: string): string | null => headers.get(name)?.[0] ?? null;
  const name = text('name');
  return {
    name: name === null ? null : (name as ByteString),
    version: decoded(text('version')),
    licences: licencesOf(headers),
    supplier: decoded(
      text('author') ?? text('author-email') ?? text('maintainer') ?? text('maintainer-email'),
    ),
  };
}

/** Returns the values of headers by their names in lower case. A line that begins with a blank continues the one above it. */
function headersIn(text: ByteString): ReadonlyMap<string, readonly ByteString[]> {
  const headers = new Map<string, ByteString[]>();
  for (const line of text.split(/\r?\n/)) {
    if (line === '') break;
    const [, name, value] = line.match(/^([A-Za-z-]+):[ \t]*(.*)$/) ?? [];
    if (name === undefined || value === undefined || value.trim() === '') continue;
    const key = name.toLowerCase();
    const known = headers.get(key);
    if (known === undefined) headers.set(key, [value.trim()]);
    else known.push(value.trim());
  }
  return headers;
}

/** Returns the expression, or else the text if it is short, or else the classifiers. */
function licencesOf(headers: ReadonlyMap<string, readonly ByteString[]>): readonly string[] {
  const expression = headers.get('license-expression')?.[0];
  if (expression !== undefined) return [utf8Text(expression)];
  const classified = (headers.get('classifier') ?? [])
    .filter((each) => each.startsWith('License :: '))
    .map((each) => utf8Text(each.slice(each.lastIndexOf('::') + 2).trim()));
  const stated = headers.get('license')?.[0];
  const isName = stated !== undefined && stated.length <= longestLicence && stated !== 'UNKNOWN';
  return isName ? [utf8Text(stated)] : [...new Set(classified)];
}

function decoded(text: string | null): string | null {
  return text === null || text === 'UNKNOWN' ? null : utf8Text(text as ByteString);
}
