/**
 * Takes the bodies of files that may be made of parts: archives of Java, and programs of Go. The collector of facts opens a sink for
 * each file, and gets the parts at its end.
 */
import { baseOf, type Path } from '../../bytes/path.ts';
import { MiB } from '../../units.ts';
import type { FileSink } from './collector.ts';
import { ElfProbe } from './elf.ts';
import { ElfWindows } from './elf-window.ts';
import type { FilePart } from './file-part.ts';
import { GoBuildProbe } from './go-build.ts';
import { javaArchive, partsOfArchive } from './java-archive.ts';

/** The bytes of an archive that are kept: of larger ones, what lies between beginning and end is not looked at. */
const archivePrefix = 64 * MiB;
const archiveTail = 8 * MiB;

const elfMagic = Buffer.from('\x7fELF', 'latin1');

/** Receives what was found, when a file has ended. */
type Take = (parts: readonly FilePart[]) => void;

/** Returns a sink for a file that may have parts. Each holds at most 72 MiB. */
export function partSink(path: Path, size: number, take: Take): FileSink {
  return javaArchive.test(path) ? archiveSink(path, size, take, null) : buildSink(size, take);
}

/** Returns a sink for an archive of Java. `showHead` sees its beginning, too. */
export function archiveSink(
  path: Path,
  size: number,
  take: Take,
  showHead: { readonly bytes: number; readonly show: (head: Uint8Array) => void } | null,
): FileSink {
  const isWhole = size <= archivePrefix + archiveTail;
  const windows = new ElfWindows(size, isWhole ? size : archivePrefix, archiveTail);
  return {
    write: (chunk) => {
      windows.write(chunk.subarray(0, size - windows.position));
      return windows.position < size;
    },
    end: () => {
      showHead?.show(windows.most(0, Math.min(size, showHead.bytes)));
      take(partsOfArchive({ size, get: (start, length) => windows.get(start, length) }, baseOf(path)));
    },
  };
}

/** Returns a sink for any other file. It looks at the first bytes of one that is not ELF, and at no more. */
function buildSink(size: number, take: Take): FileSink {
  let head = Buffer.alloc(0);
  let elf: ElfProbe | null = null;
  const build = new GoBuildProbe();
  let left = size;
  return {
    write: (chunk) => {
      let part = chunk.subarray(0, left);
      left -= part.length;
      if (elf === null) {
        head = Buffer.concat([head, part]);
        if (head.length < elfMagic.length) return left > 0;
        if (!head.subarray(0, elfMagic.length).equals(elfMagic)) return false;
        elf = new ElfProbe(size);
        part = head;
      }
      elf.write(part);
      build.write(part);
      return left > 0;
    },
    end: () => take(elf === null ? [] : build.finish(elf.loaded())),
  };
}
