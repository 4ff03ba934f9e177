/**
 * Gathers the facts of one ELF file while it streams by. `FactCollector` creates a probe for every file that begins like ELF; the
 * headers are read in `elf-header.ts`, the dynamic section in `elf-dynamic.ts`.
 */
import { MiB } from '../../units.ts';
import { readDynamic } from './elf-dynamic.ts';
import { type Header, readHeader, readIdent, untilNul } from './elf-header.ts';
import { ElfWindows } from './elf-window.ts';
import type { Elf } from './facts.ts';
import type { LoadedFile } from './go-build.ts';
import type { ByteString } from '../../bytes/bytes.ts';

/** How much of a file is kept. Linkers put what counts at the beginning, and patchelf at the end. */
const maxPrefix = 64 * MiB;
const maxTail = 8 * MiB;

/** Takes all bytes of a file in order, and is then asked once. Never throws, whatever the file holds. */
export class ElfProbe {
  readonly #size: number;
  readonly #windows: ElfWindows;
  /** Whether the headers were asked which part of the middle of the file they need. */
  #isPlanned = false;

  /** Takes the size of the file in bytes. */
  constructor(size: number) {
    this.#size = size;
    this.#windows = new ElfWindows(size, maxPrefix, maxTail);
  }

  write(chunk: Uint8Array): void {
    const { prefixBytes } = this.#windows;
    const before = Math.max(0, prefixBytes - this.#windows.position);
    if (this.#isPlanned || chunk.length <= before || prefixBytes === this.#size) {
      this.#windows.write(chunk);
      return;
    }
    this.#windows.write(chunk.subarray(0, before));
    this.#plan();
    this.#windows.write(chunk.subarray(before));
  }

  /** Asks the headers of a very large file for the parts of its middle that are wanted. */
  #plan(): void {
    this.#isPlanned = true;
    const header = readHeader(this.#windows);
    if (header === null || typeof header === 'string') return;
    for (const segment of [header.interpreter, header.dynamic]) {
      if (segment === null) continue;
      this.#windows.add(segment.offset, Math.min(segment.offset + segment.length, this.#size));
    }
  }

  /** Returns the parts of the file that are loaded, and those bytes of it that were kept. */
  loaded(): LoadedFile {
    const header = readHeader(this.#windows);
    const loads = header === null || typeof header === 'string' ? [] : header.loads;
    return { loads, get: (start, length) => this.#windows.get(start, length) };
  }

  /** Returns the facts; null for a file that is not ELF. */
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
    const interpreter = readInterpreter(this.#windows, header);
    let trouble = nothing.trouble ?? header.trouble;
    if (interpreter === null && header.interpreter !== null)
      trouble ??= 'the name of its interpreter is out of reach';
    return { ...nothing, interpreter, ...readDynamic(this.#windows, header, trouble) };
  }
}

function readInterpreter(windows: ElfWindows, { interpreter }: Header): ByteString | null {
  const bytes = interpreter === null ? null : windows.get(interpreter.offset, interpreter.length);
  const name = bytes === null ? null : untilNul(bytes, 0, bytes.length);
  return name === '' ? null : name;
}
