import { type ByteString, readByteString } from '../../bytes/bytes.ts';
import { ElfWindows } from './elf-window.ts';
import type { Elf } from './facts.ts';
import { lookups } from './lookups.ts';
import { MiB } from '../../units.ts';

/** Functions whose import says that a file opens others at run time which no header names. */
export const knownImports: ReadonlySet<string> = new Set([
  ...Object.values(lookups).flat(),
  ...`
    dlopen dlmopen lt_dlopen lt_dlopenext g_module_open iconv_open setlocale newlocale bindtextdomain
    getpwnam getpwnam_r getpwuid getpwuid_r getpwent getspnam getspnam_r getgrnam getgrnam_r getgrgid
    getgrgid_r getgrent getgrouplist initgroups getaddrinfo getnameinfo gethostbyname gethostbyname2
    gethostbyname_r gethostbyaddr getservbyname getservbyport getprotobyname res_init res_query
    __res_init tzset localtime localtime_r mktime __localtime64 __localtime64_r __mktime64
    pthread_cancel pthread_exit backtrace OPENSSL_init_ssl OPENSSL_init_crypto OSSL_PROVIDER_load
    ENGINE_by_id SSL_CTX_new SSL_library_init OPENSSL_add_all_algorithms_noconf gnutls_global_init
    gnutls_init SSL_CTX_set_default_verify_paths X509_STORE_set_default_paths NSS_Initialize
    NSS_NoDB_Init pam_start sasl_client_init sasl_server_init krb5_init_context gss_init_sec_context
    gss_acquire_cred gss_accept_sec_context curl_global_init curl_easy_init ldap_initialize
    pam_start_confdir thrd_exit
  `
    .trim()
    .split(/\s+/),
]);

const longestImport = Math.max(...[...knownImports].map((name) => name.length));

const maxPrefix = 64 * MiB;
const maxTail = 8 * MiB;
const maxDynamic = MiB;
/** The kernel takes no longer name (PATH_MAX). */
const maxName = 4096;
/** Real files need a few hundred at most; what claims more would only fill memory. */
const maxNeeded = 4096;

/**
 * Reads the headers of one ELF file while it streams by: it is given all bytes in order, and then asked once. Holds the
 * first 64 MiB and the last 8, which is where linkers and patchelf put what counts. Never throws, whatever the file holds.
 */
export class ElfProbe {
  readonly #size: number;
  readonly #windows: ElfWindows;
  #planned = false;

  /** `size`: bytes of the file. */
  constructor(size: number) {
    this.#size = size;
    this.#windows = new ElfWindows(size, maxPrefix, maxTail);
  }

  write(chunk: Uint8Array): void {
    const { prefixBytes } = this.#windows;
    const before = Math.max(0, prefixBytes - this.#windows.position);
    if (this.#planned || chunk.length <= before || prefixBytes === this.#size) {
      this.#windows.write(chunk);
      return;
    }
    // Of a very large file: the headers tell which part of the middle is wanted too.
    this.#windows.write(chunk.subarray(0, before));
    this.#planned = true;
    const header = readHeader(this.#windows);
    if (typeof header === 'object' && header !== null) {
      for (const segment of [header.interpreter, header.dynamic]) {
        if (segment === null) continue;
        this.#windows.add(segment.offset, Math.min(segment.offset + segment.length, this.#size));
      }
    }
    this.#windows.write(chunk.subarray(before));
  }

  /** Null for what is no ELF file. */
  finish(): Elf | null {
    const ident = readIdent(this.#windows);
    if (ident === null) return null;
    const nothing: Elf = {
      bits: ident.bits,
      endian: ident.endian,
      machine: ident.machine,
      interpreter: null,
      soname: null,
      needed: [],
      rpath: null,
      runpath: null,
      imports: new Set(),
      trouble: this.#windows.position < this.#size ? 'the file is cut short' : null,
    };
    const header = readHeader(this.#windows);
    if (header === null) return nothing;
    if (typeof header === 'string') return { ...nothing, trouble: header };
    const elf = { ...nothing, trouble: nothing.trouble ?? header.trouble };
    const interpreter = readInterpreter(this.#windows, header);
    if (interpreter === null && header.interpreter !== null)
      elf.trouble ??= 'the name of its interpreter is out of reach';
    return { ...elf, interpreter, ...readDynamic(this.#windows, header, elf.trouble) };
  }
}

interface Ident {
  readonly bits: 32 | 64;
  readonly endian: 'little' | 'big';
  readonly machine: number;
}

interface Segment {
  readonly offset: number;
  readonly length: number;
  readonly address: number;
}

interface Header extends Ident {
  readonly loads: readonly Segment[];
  readonly interpreter: Segment | null;
  readonly dynamic: Segment | null;
  readonly trouble: string | null;
}

/** Numbers in a piece of the file; beyond its end they are 0. */
class Numbers {
  readonly #view: DataView;
  readonly #little: boolean;
  readonly #wide: boolean;

  constructor(bytes: Uint8Array, { bits, endian }: Pick<Ident, 'bits' | 'endian'>) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#little = endian === 'little';
    this.#wide = bits === 64;
  }

  half(at: number): number {
    return at + 2 <= this.#view.byteLength ? this.#view.getUint16(at, this.#little) : 0;
  }

  word(at: number): number {
    return at + 4 <= this.#view.byteLength ? this.#view.getUint32(at, this.#little) : 0;
  }

  /** As wide as addresses are. What no double can hold is no offset in any file. */
  address(at: number): number {
    if (!this.#wide) return this.word(at);
    return at + 8 <= this.#view.byteLength ? Number(this.#view.getBigUint64(at, this.#little)) : 0;
  }
}

function readIdent(windows: ElfWindows): Ident | null {
  const ident = windows.get(0, 20);
  if (ident === null || readByteString(ident, 0, 4) !== '\x7fELF') return null;
  const [bits, endian] = [ident[4], ident[5]];
  if ((bits !== 1 && bits !== 2) || (endian !== 1 && endian !== 2)) return null;
  const kind = { bits: bits === 1 ? 32 : 64, endian: endian === 1 ? 'little' : 'big' } as const;
  return { ...kind, machine: new Numbers(ident, kind).half(18) };
}

const segmentTypes = { load: 1, dynamic: 2, interpreter: 3 } as const;
const objectFile = 1;
const coreFile = 4;

/** Null where there are no program headers to read; a string says what is wrong. */
function readHeader(windows: ElfWindows): Header | string | null {
  const ident = readIdent(windows);
  const bytes = windows.get(0, ident?.bits === 64 ? 64 : 52);
  if (ident === null || bytes === null) return 'the file is cut short';
  const wide = ident.bits === 64;
  const numbers = new Numbers(bytes, ident);
  const type = numbers.half(16);
  const count = numbers.half(wide ? 56 : 44);
  if (type === objectFile || type === coreFile || count === 0) return null;
  const each = numbers.half(wide ? 54 : 42);
  if (each < (wide ? 56 : 32) || each > 1024) return 'its program headers have a strange size';
  if (count === 0xffff) return 'it has too many program headers';
  const table = windows.get(numbers.address(wide ? 32 : 28), each * count);
  if (table === null) return 'its program headers are out of reach';
  return readSegments(new Numbers(table, ident), ident, each, count);
}

function readSegments(table: Numbers, ident: Ident, each: number, count: number): Header {
  const wide = ident.bits === 64;
  const loads: Segment[] = [];
  let interpreter: Segment | null = null;
  let dynamic: Segment | null = null;
  for (let at = 0; at < each * count; at += each) {
    const segment: Segment = {
      offset: table.address(at + (wide ? 8 : 4)),
      address: table.address(at + (wide ? 16 : 8)),
      length: table.address(at + (wide ? 32 : 16)),
    };
    const type = table.word(at);
    if (type === segmentTypes.load) loads.push(segment);
    else if (type === segmentTypes.interpreter) interpreter ??= segment;
    else if (type === segmentTypes.dynamic) dynamic ??= segment;
  }
  let trouble: string | null = null;
  if (dynamic !== null && dynamic.length > maxDynamic) {
    trouble = 'its dynamic section is too large';
    dynamic = { ...dynamic, length: maxDynamic };
  }
  if (interpreter !== null && interpreter.length > maxName) {
    trouble = 'the name of its interpreter is too long';
    interpreter = { ...interpreter, length: maxName };
  }
  return { ...ident, loads, interpreter, dynamic, trouble };
}

function readInterpreter(windows: ElfWindows, { interpreter }: Header): ByteString | null {
  const bytes = interpreter === null ? null : windows.get(interpreter.offset, interpreter.length);
  const name = bytes === null ? null : untilNul(bytes, 0, bytes.length);
  return name === '' ? null : name;
}

const tags = {
  end: 0,
  needed: 1,
  strings: 5,
  symbols: 6,
  stringsLength: 10,
  symbolLength: 11,
  soname: 14,
  rpath: 15,
  runpath: 29,
} as const;

/**
 * Tags whose values are addresses of tables, one of which ends the table of symbols, since nothing else says how long
 * that is: PLTGOT, HASH, STRTAB, RELA, INIT, FINI, REL, JMPREL, the arrays, RELR, GNU_HASH, VERSYM, VERDEF, VERNEED.
 */
const tableTags: ReadonlySet<number> = new Set([
  3, 4, 5, 7, 12, 13, 17, 23, 25, 26, 32, 36, 0x6ffffef5, 0x6ffffff0, 0x6ffffffc, 0x6ffffffe,
]);

type Dynamic = Pick<Elf, 'soname' | 'needed' | 'rpath' | 'runpath' | 'imports' | 'trouble'>;

function readDynamic(windows: ElfWindows, header: Header, earlier: string | null): Dynamic {
  const nothing: Dynamic = {
    soname: null,
    needed: [],
    rpath: null,
    runpath: null,
    imports: new Set(),
    trouble: earlier,
  };
  const { dynamic } = header;
  if (dynamic === null || dynamic.length === 0) return nothing;
  const bytes = windows.get(dynamic.offset, dynamic.length);
  if (bytes === null) return { ...nothing, trouble: earlier ?? 'its dynamic section is out of reach' };

  const each = header.bits === 64 ? 16 : 8;
  const numbers = new Numbers(bytes, header);
  const values = new Map<number, number>();
  const needed: number[] = [];
  const tables: number[] = [];
  for (let at = 0; at + each <= bytes.length; at += each) {
    const tag = numbers.address(at);
    const value = numbers.address(at + each / 2);
    if (tag === tags.end) break;
    if (tag === tags.needed) needed.push(value);
    else if (!values.has(tag)) values.set(tag, value);
    if (tableTags.has(tag)) tables.push(value);
  }

  const start = fileOffset(header, values.get(tags.strings));
  const length = values.get(tags.stringsLength) ?? 0;
  let trouble = earlier;
  const named = [tags.soname, tags.rpath, tags.runpath].some((tag) => values.has(tag)) || needed.length > 0;
  const name = (offset: number | undefined): ByteString | null => {
    if (offset === undefined) return null;
    const found =
      start === null || !(offset < length)
        ? null
        : untilNul(windows.most(start + offset, Math.min(maxName, length - offset)));
    if (found === null) trouble ??= 'its dynamic strings are out of reach';
    return found;
  };
  if (start === null && named) trouble ??= 'its dynamic strings are in no segment';
  const offsets = [...new Set(needed)];
  if (offsets.length > maxNeeded) trouble ??= 'it needs too many libraries';
  const names = offsets
    .slice(0, maxNeeded)
    .map(name)
    .filter((text) => text !== null && text !== '');
  const [soname, rpath, runpath] = [tags.soname, tags.rpath, tags.runpath].map((tag) =>
    name(values.get(tag)),
  );
  const imports = start === null ? null : readImports(windows, header, { values, tables, start, length });
  if (imports === null && values.has(tags.symbols)) trouble ??= 'its symbols are out of reach';
  return {
    soname: soname ?? null,
    needed: [...new Set(names as ByteString[])],
    rpath: rpath ?? null,
    runpath: runpath ?? null,
    imports: imports ?? new Set(),
    trouble,
  };
}

interface SymbolPlace {
  readonly values: ReadonlyMap<number, number>;
  readonly tables: readonly number[];
  /** Of the strings, in the file. */
  readonly start: number;
  readonly length: number;
}

/** Undefined symbols whose names are known; null where they cannot be read. */
function readImports(windows: ElfWindows, header: Header, place: SymbolPlace): ReadonlySet<string> | null {
  const wide = header.bits === 64;
  const address = place.values.get(tags.symbols);
  const offset = fileOffset(header, address);
  const each = place.values.get(tags.symbolLength) ?? (wide ? 24 : 16);
  if (address === undefined || offset === null || each !== (wide ? 24 : 16)) return null;
  let end = address + maxPrefix;
  for (const table of place.tables) if (table > address && table < end) end = table;
  const table = windows.most(offset, end - address);
  const strings = windows.most(place.start, place.length);
  if (table.length === 0 || strings.length === 0) return null;
  const numbers = new Numbers(table, header);
  const found = new Set<string>();
  for (let at = each; at + each <= table.length; at += each) {
    if (numbers.half(at + (wide ? 6 : 14)) !== 0) continue;
    const start = numbers.word(at);
    if (start === 0 || start >= strings.length) continue;
    const name = untilNul(strings, start, start + longestImport + 1);
    if (name !== null && knownImports.has(name)) found.add(name);
  }
  return found;
}

/** Where in the file an address of the loaded image is. */
function fileOffset({ loads }: Header, address: number | undefined): number | null {
  if (address === undefined) return null;
  for (const load of loads) {
    const ahead = address - load.address;
    if (ahead >= 0 && ahead < load.length) return load.offset + ahead;
  }
  return null;
}

/** Null where no NUL ends it. */
function untilNul(bytes: Uint8Array, start = 0, end = bytes.length): ByteString | null {
  const limit = Math.min(end, bytes.length);
  for (let at = start; at < limit; at++) if (bytes[at] === 0) return readByteString(bytes, start, at);
  return null;
}
