/**
 * Writes tars, valid ones and broken ones, in every format that is in use. It shares no line with the code that is
 * tested.
 */
import { type ByteString, bytesOf, concat } from './byte-string.ts';

const BLOCK = 512;

/** The kind of an entry once its head has been understood. `global` is a PAX `g` header, which describes no file. */
export type EntryType = 'file' | 'dir' | 'symlink' | 'link' | 'char' | 'block' | 'fifo' | 'global';

export type SparseFormat = 'gnu' | '0.0' | '0.1' | '1.0';

/** A sparse file: its full size, and where in it the stored bytes lie, as `[offset, length]`. */
export type Sparse = {
  readonly format: SparseFormat;
  readonly size: number;
  readonly map: readonly (readonly [number, number])[];
};

/**
 * The format of the head. `ustar` and `v7` throw when they cannot express something; `gnu` uses `L`, `K` and
 * base-256 (and a PAX header only for what GNU heads cannot express at all); `pax` uses a PAX header for whatever
 * ustar cannot express; `pax-all` puts everything into PAX and decoys into the ustar header, which a reader must
 * not believe.
 */
export type HeadFormat = 'ustar' | 'v7' | 'gnu' | 'pax' | 'pax-all';

/** One entry to write. Every field but `name` has a plain default; names and values are byte strings. */
export type EntrySpec = {
  readonly name: ByteString;
  readonly type?: EntryType;
  /** A type character that overrides the default one: `'\0'`, `'7'`. */
  readonly typeflag?: string;
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly uname?: ByteString;
  readonly gname?: ByteString;
  /** Seconds since 1970 as a decimal: `1700000000.123456789`, `-1.5`. */
  readonly mtime?: string;
  readonly linkname?: ByteString;
  readonly devmajor?: number;
  readonly devminor?: number;
  readonly xattrs?: Readonly<Record<string, ByteString>>;
  /** Further PAX records, written unchanged. */
  readonly pax?: readonly (readonly [ByteString, ByteString])[];
  /** The stored bytes. For a sparse file they are those of its map, one after the other. */
  readonly body?: Uint8Array;
  readonly sparse?: Sparse;
  readonly format?: HeadFormat;
};

/** How the tar ends: see {@link writeTar}. */
export type TarEnd = 'blocks' | 'record' | 'one-block' | 'none' | 'untidy';

/** The raw fields of one header block, each written to its place without checks. */
export type HeaderFields = {
  readonly name?: ByteString;
  readonly mode?: Uint8Array;
  readonly uid?: Uint8Array;
  readonly gid?: Uint8Array;
  readonly size?: Uint8Array;
  readonly mtime?: Uint8Array;
  readonly typeflag?: string;
  readonly linkname?: ByteString;
  /** Magic and version: `ustar\0` and `00`, `ustar  \0` (GNU), or nothing (v7). */
  readonly magic?: ByteString;
  readonly uname?: ByteString;
  readonly gname?: ByteString;
  readonly devmajor?: Uint8Array;
  readonly devminor?: Uint8Array;
  readonly prefix?: ByteString;
  /** Other bytes, as `[offset, bytes]`, written last but before the checksum. */
  readonly patches?: readonly (readonly [number, Uint8Array])[];
  /** A checksum that overrides the right one, for broken headers. */
  readonly checksum?: number;
};

const USTAR_MAGIC = 'ustar\x0000';
const GNU_MAGIC = 'ustar  \0';

/** Returns one 512-byte header block with its checksum. */
export function headerBlock(fields: HeaderFields): Uint8Array {
  const block = new Uint8Array(BLOCK);
  const put = (offset: number, width: number, value: Uint8Array | undefined): void => {
    if (value === undefined) return;
    if (value.length > width) throw new RangeError(`${value.length} bytes do not fit ${width} at ${offset}`);
    block.set(value, offset);
  };
  const text = (value: ByteString | undefined): Uint8Array | undefined =>
    value === undefined ? undefined : bytesOf(value);
  put(0, 100, text(fields.name));
  put(100, 8, fields.mode ?? octal(0o644, 8));
  put(108, 8, fields.uid ?? octal(0, 8));
  put(116, 8, fields.gid ?? octal(0, 8));
  put(124, 12, fields.size ?? octal(0, 12));
  put(136, 12, fields.mtime ?? octal(0, 12));
  put(156, 1, text(fields.typeflag ?? '0'));
  put(157, 100, text(fields.linkname));
  put(257, 8, text(fields.magic ?? USTAR_MAGIC));
  put(265, 32, text(fields.uname));
  put(297, 32, text(fields.gname));
  put(329, 8, fields.devmajor);
  put(337, 8, fields.devminor);
  put(345, 155, text(fields.prefix));
  for (const [offset, bytes] of fields.patches ?? []) block.set(bytes, offset);
  block.fill(0x20, 148, 156);
  const sum = fields.checksum ?? block.reduce((total, byte) => total + byte, 0);
  block.set(bytesOf(`${sum.toString(8).padStart(6, '0')}\0 `), 148);
  return block;
}

/** Returns a number as octal digits and a NUL, `width` bytes long. Throws a RangeError when it does not fit. */
export function octal(value: number | bigint, width: number): Uint8Array {
  const digits = value.toString(8);
  if (BigInt(value) < 0n || digits.length > width - 1) throw new RangeError(`${value} has no octal form`);
  return bytesOf(`${digits.padStart(width - 1, '0')}\0`);
}

/** Returns a number in GNU base-256: big-endian two's complement whose first bit is the mark. */
export function base256(value: number | bigint, width: number): Uint8Array {
  const bytes = new Uint8Array(width);
  let rest = BigInt.asUintN(width * 8, BigInt(value));
  for (let i = width - 1; i >= 0; i -= 1) {
    bytes[i] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  bytes[0] = (bytes[0] ?? 0) | 0x80;
  return bytes;
}

/** Returns one PAX record, `"length key=value\n"`, whose length counts itself. */
export function paxRecord(key: ByteString, value: ByteString): ByteString {
  const rest = ` ${key}=${value}\n`;
  let length = rest.length + 1;
  while (`${length}${rest}`.length !== length) length += 1;
  return `${length}${rest}`;
}

/** Returns a PAX header (`x` for the next entry, `g` for all that follow): its block, its records, its padding. */
export function paxHeader(
  records: readonly (readonly [ByteString, ByteString])[],
  typeflag: 'x' | 'g' = 'x',
): Uint8Array {
  return metaEntry(
    typeflag,
    typeflag === 'x' ? 'PaxHeaders.0/entry' : 'pax_global_header',
    USTAR_MAGIC,
    records.map(([key, value]) => paxRecord(key, value)).join(''),
  );
}

/** Returns a GNU long name (`L`) or long link name (`K`) for the next entry. */
export function gnuLong(typeflag: 'L' | 'K', value: ByteString): Uint8Array {
  return metaEntry(typeflag, '././@LongLink', GNU_MAGIC, `${value}\0`);
}

function metaEntry(typeflag: string, name: ByteString, magic: ByteString, data: ByteString): Uint8Array {
  const body = bytesOf(data);
  return concat([headerBlock({ name, typeflag, magic, size: octal(body.length, 12) }), padded(body)]);
}

/** Pads bytes with zeros to whole blocks. */
export function padded(bytes: Uint8Array): Uint8Array {
  const out = new Uint8Array(Math.ceil(bytes.length / BLOCK) * BLOCK);
  out.set(bytes);
  return out;
}

const TYPEFLAGS: Readonly<Record<EntryType, string>> = {
  file: '0',
  link: '1',
  symlink: '2',
  char: '3',
  block: '4',
  dir: '5',
  fifo: '6',
  global: 'g',
};

/**
 * Returns all the bytes of one entry: its head blocks, its body and its padding. Throws a RangeError for what
 * `ustar` or `v7` cannot express.
 */
export function encodeEntry(spec: EntrySpec): Uint8Array {
  if (spec.type === 'global') return paxHeader(spec.pax ?? [], 'g');
  const { head, body } = encodeParts(spec);
  return concat([head, padded(body)]);
}

type Parts = { readonly head: Uint8Array; readonly body: Uint8Array };

function encodeParts(spec: EntrySpec): Parts {
  const format = spec.format ?? 'pax';
  const type = spec.type ?? 'file';
  const all = format === 'pax-all';
  const gnu = format === 'gnu';
  const usesPax = all || format === 'pax' || gnu;
  const records: [ByteString, ByteString][] = [];
  const metas: Uint8Array[] = [];
  const patches: (readonly [number, Uint8Array])[] = [];
  const cannot = (what: string): never => {
    throw new RangeError(`${format} cannot say ${what}`);
  };
  const record = (key: ByteString, value: ByteString): void => {
    if (!usesPax) cannot(key);
    records.push([key, value]);
  };

  let typeflag = spec.typeflag ?? TYPEFLAGS[type];
  let body = spec.body ?? new Uint8Array(0);
  let name = spec.name;
  const extensions: Uint8Array[] = [];
  if (spec.sparse !== undefined) {
    const sparse = encodeSparse(spec.sparse, spec.name, body);
    body = sparse.body;
    for (const [key, value] of sparse.records) record(key, value);
    if (sparse.storedName !== undefined) name = sparse.storedName;
    // GNU tar chooses between its two ways by the magic of the header.
    if ((spec.sparse.format === 'gnu') !== gnu) cannot(`the sparse format ${spec.sparse.format}`);
    if (gnu) typeflag = 'S';
    patches.push(...sparse.patches);
    extensions.push(...sparse.extensions);
  }

  let prefix = '';
  const split = format === 'ustar' || format === 'pax' ? splitName(name) : undefined;
  if (all) {
    // GNU.sparse.name holds the name of a sparse entry; both hold the stored name here, as GNU tar writes them.
    record('path', name);
    name = 'decoy/name';
  } else if (split !== undefined) {
    [prefix, name] = split;
  } else if (name.length > 100) {
    if (gnu) metas.push(gnuLong('L', name));
    else record('path', name);
    name = name.slice(0, 100);
  }

  let linkname = spec.linkname ?? '';
  if (all && linkname !== '') {
    record('linkpath', linkname);
    linkname = 'decoy/link';
  } else if (linkname.length > 100) {
    if (gnu) metas.unshift(gnuLong('K', linkname));
    else record('linkpath', linkname);
    linkname = linkname.slice(0, 100);
  }

  const owner = (key: 'uid' | 'gid', value: number): Uint8Array => {
    if (all) {
      record(key, String(value));
      return octal(7, 8);
    }
    if (value <= 0o7777777) return octal(value, 8);
    if (gnu) return base256(value, 8);
    record(key, String(value));
    return octal(0, 8);
  };
  const uid = owner('uid', spec.uid ?? 0);
  const gid = owner('gid', spec.gid ?? 0);

  const ownerName = (key: 'uname' | 'gname', value: ByteString): ByteString => {
    if (value.length <= 32 && !(all && value !== '')) return value;
    record(key, value);
    return 'decoy';
  };
  const uname = ownerName('uname', spec.uname ?? '');
  const gname = ownerName('gname', spec.gname ?? '');

  const mtime = spec.mtime ?? '0';
  const whole = wholeSeconds(mtime);
  let mtimeField: Uint8Array;
  if (all || mtime.includes('.')) {
    record('mtime', mtime);
    mtimeField = octal(1, 12);
  } else if (whole >= 0n && whole <= 0o77777777777n) {
    mtimeField = octal(whole, 12);
  } else if (gnu) {
    mtimeField = base256(whole, 12);
  } else {
    record('mtime', mtime);
    mtimeField = octal(0, 12);
  }

  for (const [key, value] of Object.entries(spec.xattrs ?? {})) record(`SCHILY.xattr.${key}`, value);
  for (const [key, value] of spec.pax ?? []) record(key, value);
  if (records.length > 0) metas.unshift(paxHeader(records));

  const v7 = format === 'v7';
  if (v7 && (uname !== '' || gname !== '')) cannot('owner names');
  const device = type === 'char' || type === 'block';
  if (v7 && (device || type === 'fifo')) cannot('devices and fifos');
  if (v7 && type === 'dir' && !name.endsWith('/')) cannot('a directory without a trailing slash');
  if (v7 && type === 'file' && name.endsWith('/')) cannot('a file with a trailing slash');
  const header = headerBlock({
    name,
    mode: octal(spec.mode ?? (type === 'dir' ? 0o755 : 0o644), 8),
    uid,
    gid,
    size: octal(body.length, 12),
    mtime: mtimeField,
    typeflag: v7 && (typeflag === '0' || typeflag === '5') ? '\0' : typeflag,
    linkname,
    magic: v7 ? '' : gnu ? GNU_MAGIC : USTAR_MAGIC,
    uname,
    gname,
    ...(v7 ? {} : { devmajor: octal(spec.devmajor ?? 0, 8), devminor: octal(spec.devminor ?? 0, 8) }),
    prefix,
    patches,
  });
  return { head: concat([...metas, header, ...extensions]), body };
}

/** Splits a name into the prefix and name of a ustar header; undefined where no slash is in the right place. */
function splitName(name: ByteString): [string, string] | undefined {
  if (name.length <= 100) return ['', name];
  for (let i = name.length - 2; i > 0; i -= 1) {
    if (name[i] === '/' && i <= 155 && name.length - i - 1 <= 100)
      return [name.slice(0, i), name.slice(i + 1)];
  }
  return undefined;
}

function wholeSeconds(mtime: string): bigint {
  if (!/^-?\d+(\.\d+)?$/.test(mtime)) throw new RangeError(`no decimal: ${mtime}`);
  return BigInt(mtime.replace(/\..*/, ''));
}

type SparseParts = {
  readonly body: Uint8Array;
  readonly records: readonly (readonly [ByteString, ByteString])[];
  readonly storedName?: ByteString;
  readonly patches: readonly (readonly [number, Uint8Array])[];
  readonly extensions: readonly Uint8Array[];
};

function encodeSparse(sparse: Sparse, name: ByteString, body: Uint8Array): SparseParts {
  const { map, size } = sparse;
  const stored = map.reduce((total, [, length]) => total + length, 0);
  if (stored !== body.length) throw new RangeError(`the sparse map says ${stored} bytes of ${body.length}`);
  const slash = name.lastIndexOf('/') + 1;
  const storedName = `${name.slice(0, slash)}GNUSparseFile.0/${name.slice(slash)}`;
  const none = { patches: [], extensions: [] };
  switch (sparse.format) {
    case 'gnu':
      return { body, records: [], ...encodeGnuMap(map, size) };
    case '0.0':
      return {
        ...none,
        body,
        records: [
          ['GNU.sparse.size', String(size)],
          ['GNU.sparse.numblocks', String(map.length)],
          ...map.flatMap(([offset, length]): [string, string][] => [
            ['GNU.sparse.offset', String(offset)],
            ['GNU.sparse.numbytes', String(length)],
          ]),
        ],
      };
    case '0.1':
      return {
        ...none,
        body,
        storedName,
        records: [
          ['GNU.sparse.name', name],
          ['GNU.sparse.size', String(size)],
          ['GNU.sparse.numblocks', String(map.length)],
          ['GNU.sparse.map', map.flat().join(',')],
        ],
      };
    case '1.0': {
      const text = [map.length, ...map.flat()].map((number) => `${number}\n`).join('');
      return {
        ...none,
        body: concat([padded(bytesOf(text)), body]),
        storedName,
        records: [
          ['GNU.sparse.major', '1'],
          ['GNU.sparse.minor', '0'],
          ['GNU.sparse.name', name],
          ['GNU.sparse.realsize', String(size)],
        ],
      };
    }
  }
}

/** Encodes the map of an old GNU sparse file: 4 pieces in the header, then 21 in each extension block. */
function encodeGnuMap(map: Sparse['map'], size: number): Pick<SparseParts, 'patches' | 'extensions'> {
  const pieces = map.map(([offset, length]) => concat([octal(offset, 12), octal(length, 12)]));
  const patches: [number, Uint8Array][] = [[483, octal(size, 12)]];
  for (const [i, piece] of pieces.slice(0, 4).entries()) patches.push([386 + i * 24, piece]);
  if (pieces.length > 4) patches.push([482, Uint8Array.of(1)]);
  const extensions: Uint8Array[] = [];
  for (let at = 4; at < pieces.length; at += 21) {
    const block = new Uint8Array(BLOCK);
    block.set(concat(pieces.slice(at, at + 21)), 0);
    if (at + 21 < pieces.length) block[504] = 1;
    extensions.push(block);
  }
  return { patches, extensions };
}

/**
 * Returns a whole tar. `blocks` ends with the two zero blocks, `record` pads to a multiple of 10,240 bytes as GNU
 * tar does, `one-block` has one zero block, `none` stops after the last padding, `untidy` right after the last byte
 * of the last body.
 */
export function writeTar(specs: readonly EntrySpec[], end: TarEnd = 'blocks'): Uint8Array {
  const entries = specs.map(encodeEntry);
  const last = specs.at(-1);
  if (end === 'untidy' && last !== undefined && last.type !== 'global') {
    const { head, body } = encodeParts(last);
    entries[entries.length - 1] = concat([head, body]);
  }
  return endTar(concat(entries), end);
}

/** Appends an end to the bytes of entries. */
function endTar(entries: Uint8Array, end: TarEnd): Uint8Array {
  switch (end) {
    case 'none':
    case 'untidy':
      return entries;
    case 'one-block':
      return concat([entries, new Uint8Array(BLOCK)]);
    case 'blocks':
      return concat([entries, new Uint8Array(2 * BLOCK)]);
    case 'record': {
      const length = Math.ceil((entries.length + 2 * BLOCK) / 10_240) * 10_240;
      return concat([entries, new Uint8Array(length - entries.length)]);
    }
  }
}

export { type ModelEntry, readTar, readWholeTar } from './tar-reader.ts';
