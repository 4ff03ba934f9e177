/**
 * Finds names in files that no header tells: those of libraries that a program may load while it runs (dlopen(3)), those of the
 * bundles of CA certificates, and those of tables of MIME types. The collector of facts shows it the bytes of ELF files, and of sources in
 * Python and Ruby.
 */
import { asByteString, type ByteString, readByteString } from '../../bytes/bytes.ts';

/** The most names that are kept of one file. Of real programs, browsers name most: some dozens. */
const maxNames = 200;
/** The longest name that is found, in bytes. */
const longest = 128;

/** What names of interest contain. */
const marks = [
  '.so',
  '/ca-certificates.crt',
  '/ca-bundle.crt',
  '/ssl/cert.pem',
  '/mime.types',
  '/mime/globs2',
].map((text) => Buffer.from(text));
/**
 * A library by its file name: "libfontconfig.so.1". Patterns (`lib%s.so`) are none. In the archive behind a program that PyInstaller made of one
 * file, a flag and the type `b` stand before it (PyInstaller/archive/writers.py, the table of contents of CArchive).
 */
// oxlint-disable-next-line no-control-regex
const library = /(?:(?<![\w+.-])|(?<=[\0\x01]b))lib[\w+.-]*?\.so(?:\.\d+)*(?![\w+-])/g;
/** The tables of MIME types that Go's package mime reads, and others like it. */
const mime = /(?:etc\/(?:apache2?\/|httpd\/(?:conf\/)?)?mime\.types|usr\/(?:local\/)?share\/mime\/globs2)/g;
/** A bundle of certificates, in the middle of other text where a linker joined strings, as Go's does. */
const bundle = /etc\/(?:ssl|pki)\/(?:[\w-]+\/)*(?:ca-certificates\.crt|ca-bundle\.crt|cert\.pem)/g;

/** Takes the bytes of a file in order, in pieces of any size. */
export class MentionScan {
  readonly #names = new Set<ByteString>();
  /** The end of what was written: a name may go on in the next piece. */
  #tail: Buffer = Buffer.alloc(0);
  /** Where in it the search goes on: names before this were found already. */
  #from = 0;

  write(chunk: Uint8Array): void {
    const bytes = Buffer.concat([this.#tail, chunk]);
    // What may go on is looked at with the next piece, or at the end.
    const safe = Math.max(this.#from, bytes.length - longest);
    for (const mark of marks) this.#find(bytes, mark, safe);
    const cut = Math.max(0, safe - longest);
    this.#tail = bytes.subarray(cut);
    this.#from = safe - cut;
  }

  /** Returns the names in the bytes so far, sorted, each once. Called after the last bytes. */
  finish(): readonly ByteString[] {
    for (const mark of marks) this.#find(this.#tail, mark, this.#tail.length);
    return [...this.#names].sort();
  }

  /** Adds the names around each place of a mark that lies before `end`. */
  #find(bytes: Buffer, mark: Buffer, end: number): void {
    for (
      let at = bytes.indexOf(mark, this.#from);
      at >= 0 && at < end;
      at = bytes.indexOf(mark, at + mark.length)
    ) {
      if (this.#names.size >= maxNames) return;
      const start = Math.max(0, at - longest);
      const near = readByteString(bytes.subarray(start, at + longest));
      for (const pattern of [library, bundle, mime])
        for (const found of near.matchAll(pattern)) {
          const first = start + found.index;
          const [name] = found;
          if (name !== undefined && first <= at && first + name.length > at)
            this.#names.add(asByteString(name));
        }
    }
  }
}

/** How sources say which library they load: ctypes, cffi and the FFI of Ruby. The group has the names. */
const calls =
  /\b(find_library|[A-Za-z]*DLL|LoadLibrary|dlopen|ffi_lib|Fiddle)\b[\s(.]*((?:[^\n"']{0,20}["'][\w+./-]+["'])+)/g;

/**
 * Returns the libraries that a source in Python or Ruby names where it loads some, sorted. A name without "lib" and ".so" stands for any
 * version: `m` gives "libm.so*".
 */
export function librariesOfSource(text: ByteString): readonly ByteString[] {
  const names = new Set<ByteString>();
  for (const [, , list] of text.matchAll(calls))
    for (const [, quoted] of (list ?? '').matchAll(/["']([\w+./-]+)["']/g)) {
      if (quoted === undefined) continue;
      const name = quoted.slice(quoted.lastIndexOf('/') + 1);
      if (names.size >= maxNames || name === '') continue;
      if (/^lib.+\.so(?:\.\d+)*$/.test(name)) names.add(asByteString(name));
      else if (/^[\w+-]+$/.test(name))
        names.add(asByteString(`${name.startsWith('lib') ? '' : 'lib'}${name}.so*`));
    }
  return [...names].sort();
}
