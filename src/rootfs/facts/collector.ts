/**
 * Gathers the facts of one layer while its tar streams by. The layer reader creates a collector for each layer, and a sink for each
 * file.
 */
import type { Path } from '../../bytes/path.ts';
import { type ByteString, bytesOf, readByteString } from '../../bytes/bytes.ts';
import { ElfProbe } from './elf.ts';
import { archive, archiveHead, classPathIn } from './class-path.ts';
import { librariesOfSource, MentionScan } from './mentions.ts';
import type { ContentProbe, Elf, LayerFacts } from './facts.ts';
import type { FilePart } from './file-part.ts';
import { GoBuildProbe } from './go-build.ts';
import { javaArchive } from './java-archive.ts';
import { archiveSink, partSink } from './part-sinks.ts';
import {
  languageOfLine,
  languageOfPath,
  largestSource,
  modulesOfSource,
  type NamedModule,
  type SourceLanguage,
  type SourceModules,
} from './named-modules.ts';
import { isOfShell, parseShebang, shebangBytes } from './shebang.ts';
import { KiB, MiB } from '../../units.ts';

const elfMagic = 0x7f454c46;
const shebangMagic = 0x2321;
/** The most bytes of contents that are kept of one layer. Package databases take a few MB, other wanted files less. */
const maxContents = 256 * MiB;

/** The most modules that are kept of all sources of one layer. The largest trees of sources name some hundred thousand. */
const maxModules = 2_000_000;

/** Languages whose sources may name libraries. */
const loaders: ReadonlySet<SourceLanguage> = new Set(['python', 'ruby']);
/** The largest script that is read whole, in bytes. The contents of one of a shell are kept. */
const largestScript = 64 * KiB;

/** Takes the body of one file. */
export interface FileSink {
  /** Takes the next bytes. Returns false where the rest is not wanted. */
  write(chunk: Uint8Array): boolean;
  /** Ends the file. Called after the last bytes, also if the sink wanted no more of them. */
  end(): void;
}

/** Holds the contents that it keeps, and at most one ELF file or archive in part. */
export class FactCollector {
  readonly #probe: ContentProbe;
  readonly #programs: boolean;
  readonly #sources: boolean;
  readonly #takesParts: boolean;
  readonly #elf = new Map<number, Elf>();
  readonly #scripts = new Map<number, ByteString>();
  readonly #contents = new Map<number, Uint8Array>();
  readonly #mentions = new Map<number, readonly ByteString[]>();
  readonly #parts = new Map<number, readonly FilePart[]>();
  readonly #modules = new Map<number, SourceModules>();
  /** The modules of all sources, since most are named by many: those in no function, and the others. */
  readonly #loaded = new Map<ByteString, NamedModule>();
  readonly #late = new Map<ByteString, NamedModule>();
  #held = 0;
  #named = 0;

  /**
   * Keeps the contents that the probe asks for, looks into programs and sources unless `programs` is false, for headers and first lines
   * alone if `sources` is false, and into archives of Java and programs of Go for what they are made of if `parts` is true.
   */
  constructor(
    probe: ContentProbe,
    {
      programs = true,
      sources = true,
      parts = false,
    }: { readonly programs?: boolean; readonly sources?: boolean; readonly parts?: boolean } = {},
  ) {
    this.#probe = probe;
    this.#programs = programs;
    this.#sources = sources;
    this.#takesParts = parts;
  }

  /** Returns a sink for a regular file; null for a file that is too small. `size` is that of the stored body, in bytes. */
  open(entry: number, path: Path, size: number): FileSink | null {
    if (size < 3) return null;
    const wanted = this.#probe(path);
    const take = (parts: readonly FilePart[]): void => this.#takeParts(entry, parts);
    if (!this.#programs)
      return this.#keep(entry, size, wanted) ?? (this.#takesParts ? partSink(path, size, take) : null);
    const language = this.#sources && size <= largestSource ? languageOfPath(path) : null;
    if (wanted >= size && this.#held + size <= maxContents) {
      this.#held += size;
      return this.#collectContents(entry, size, language);
    }
    if (!this.#sources) return this.#look(entry, size);
    if (language !== null) return this.#readSource(entry, size, language);
    if (this.#takesParts && javaArchive.test(path)) {
      const show = (head: Uint8Array): void => this.#takeClassPath(entry, head);
      return archiveSink(path, size, take, archive.test(path) ? { bytes: archiveHead, show } : null);
    }
    if (archive.test(path)) return this.#readManifest(entry, size);
    return size <= largestScript ? this.#readScript(entry, size) : this.#look(entry, size);
  }

  /** Keeps the contents of a file, if it is not larger than what is wanted of it, and looks no further. */
  #keep(entry: number, size: number, wanted: number): FileSink | null {
    if (wanted < size || this.#held + size > maxContents) return null;
    this.#held += size;
    return this.#whole(entry, size, (bytes) => void this.#contents.set(entry, bytes));
  }

  /** Keeps the contents of a script of a shell, reads those of other languages, and looks into any other file. */
  #readScript(entry: number, size: number): FileSink {
    const look = this.#look(entry, size);
    let kept: Uint8Array | null = new Uint8Array(size);
    let filled = 0;
    return {
      write: (chunk) => {
        const part = chunk.subarray(0, size - filled);
        kept?.set(part, filled);
        filled += part.length;
        if (kept !== null && filled >= 2 && numberAt(kept, 2) !== shebangMagic) kept = null;
        const isWanted = look.write(part);
        return kept === null ? isWanted : filled < size;
      },
      end: () => {
        look.end();
        const line = this.#scripts.get(entry);
        if (kept === null || line === undefined || filled < size) return;
        const language = languageOfLine(line);
        if (language !== null) this.#takeSource(entry, readByteString(kept), language);
        if (!isOfShell(line) || this.#held + size > maxContents) return;
        this.#held += size;
        this.#contents.set(entry, kept);
      },
    };
  }

  /** Looks into a source of a program for the modules and libraries that it loads. */
  #readSource(entry: number, size: number, language: SourceLanguage): FileSink {
    return this.#whole(entry, size, (bytes) => this.#takeSource(entry, readByteString(bytes), language));
  }

  #takeSource(entry: number, text: ByteString, language: SourceLanguage): void {
    if (loaders.has(language)) this.#mention(entry, librariesOfSource(text));
    this.#takeModules(entry, language, modulesOfSource(text, language));
  }

  #takeModules(entry: number, language: SourceLanguage, found: readonly NamedModule[]): void {
    this.#named += found.length;
    if (found.length === 0 || this.#named > maxModules) return;
    const named = found.map((each) => this.#share(each));
    this.#modules.set(entry, { language, named });
  }

  /** Returns the first module that was equal to this one. */
  #share({ name, isAtTop }: NamedModule): NamedModule {
    const modules = isAtTop ? this.#loaded : this.#late;
    const known = modules.get(name);
    if (known !== undefined) return known;
    // A part of a text keeps all of it in memory.
    const copy = readByteString(bytesOf(name));
    const shared = { name: copy, isAtTop };
    modules.set(copy, shared);
    return shared;
  }

  #takeParts(entry: number, parts: readonly FilePart[]): void {
    if (parts.length > 0) this.#parts.set(entry, parts);
  }

  /** Looks into the beginning of an archive of Java for its class path. */
  #readManifest(entry: number, size: number): FileSink {
    const head = new Uint8Array(Math.min(size, archiveHead));
    let filled = 0;
    return {
      write: (chunk) => {
        const part = chunk.subarray(0, head.length - filled);
        head.set(part, filled);
        filled += part.length;
        return filled < head.length;
      },
      end: () => this.#takeClassPath(entry, head.subarray(0, filled)),
    };
  }

  #takeClassPath(entry: number, head: Uint8Array): void {
    const named = classPathIn(head).map((name) => ({ name, isAtTop: true }));
    this.#takeModules(entry, 'java', named);
  }

  #mention(entry: number, names: readonly ByteString[]): void {
    if (names.length > 0) this.#mentions.set(entry, names);
  }

  /** Returns the facts of all files so far. */
  facts(): LayerFacts {
    return {
      elf: this.#elf,
      scripts: this.#scripts,
      contents: this.#contents,
      mentions: this.#mentions,
      modules: this.#modules,
      parts: this.#parts,
      digests: new Map(),
      twins: new Map(),
      prints: new Uint8Array(0),
      identities: null,
    };
  }

  /** Keeps the contents of a file, and looks at them when they are complete. */
  #collectContents(entry: number, size: number, language: SourceLanguage | null): FileSink {
    return this.#whole(entry, size, (bytes) => {
      this.#contents.set(entry, bytes);
      if (language !== null) this.#takeSource(entry, readByteString(bytes), language);
    });
  }

  /** Hands the whole body of a file to `take`, and then looks at it as at any other. */
  #whole(entry: number, size: number, take: (bytes: Uint8Array) => void): FileSink {
    const bytes = new Uint8Array(size);
    let filled = 0;
    return {
      write: (chunk) => {
        const part = chunk.subarray(0, size - filled);
        bytes.set(part, filled);
        filled += part.length;
        return filled < size;
      },
      end: () => {
        take(bytes);
        if (!this.#programs) return;
        const sink = this.#look(entry, size);
        sink.write(bytes);
        sink.end();
      },
    };
  }

  /** Finds out by the first bytes whether a file is ELF or a script, and reads no more of any other. */
  #look(entry: number, size: number): FileSink {
    let head = new Uint8Array(0);
    let elf: ElfProbe | null = null;
    const mentions = this.#sources ? new MentionScan() : null;
    const build = this.#takesParts ? new GoBuildProbe() : null;
    const readElf = (probe: ElfProbe, part: Uint8Array): void => {
      probe.write(part);
      build?.write(part);
    };
    let left = size;
    const isUndecided = () => head.length < Math.min(size, 4);
    return {
      write: (chunk) => {
        const part = chunk.subarray(0, left);
        left -= part.length;
        if (elf !== null) {
          readElf(elf, part);
          mentions?.write(part);
          return left > 0;
        }
        const grown = new Uint8Array(Math.min(head.length + part.length, shebangBytes));
        grown.set(head);
        grown.set(part.subarray(0, grown.length - head.length), head.length);
        const before = head;
        head = grown;
        if (isUndecided()) return true;
        if (before.length < 4 && numberAt(head, 4) === elfMagic) {
          elf = new ElfProbe(size);
          // The bytes before this piece were too few to tell.
          readElf(elf, before);
          readElf(elf, part);
          mentions?.write(part);
          return left > 0;
        }
        return numberAt(head, 2) === shebangMagic && head.length < Math.min(size, shebangBytes);
      },
      end: () => {
        const found = elf?.finish() ?? null;
        if (elf !== null && build !== null) this.#takeParts(entry, build.finish(elf.loaded()));
        if (found !== null) {
          this.#elf.set(entry, found);
          this.#mention(entry, mentions?.finish() ?? []);
        }
        const script = elf === null ? parseShebang(head) : null;
        if (script !== null) this.#scripts.set(entry, script);
      },
    };
  }
}

/** Reads the number at the start of a file, big endian. */
function numberAt(bytes: Uint8Array, length: number): number {
  let number = 0;
  for (let i = 0; i < length; i++) number = number * 256 + (bytes[i] ?? 0);
  return number;
}
