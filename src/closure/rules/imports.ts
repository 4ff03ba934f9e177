import { asByteString, type ByteString } from '../../bytes/bytes.ts';
import type { Elf } from '../../rootfs/facts/facts.ts';

/**
 * Returns the first of these functions that an ELF file imports; null for a file that imports none. A dynamically linked file whose
 * imports could not be read counts as importing the first.
 */
export function importOf(elf: Elf | null, functions: ReadonlySet<string>): ByteString | null {
  if (elf === null) return null;
  for (const name of elf.imports) if (functions.has(name)) return asByteString(name);
  if (elf.trouble === null || (elf.needed.length === 0 && elf.interpreter === null)) return null;
  const [first] = functions;
  return first === undefined ? null : asByteString(first);
}
