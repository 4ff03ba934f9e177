/**
 * The machine that runs the tests, as if it were an image: its files, and the facts that the probes read from them.
 * The tests compare these with the word of ldd, ldconfig and dpkg.
 */
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { ElfProbe } from '../../../src/rootfs/facts/elf.ts';
import type { Elf, FileFacts } from '../../../src/rootfs/facts/facts.ts';
import { parseShebang } from '../../../src/rootfs/facts/shebang.ts';
import { directory, file, symlink, type Table, type Thing } from '../../closure/rig.ts';
import { MiB } from '../../../src/units.ts';

/** Reads an ELF file of this machine; null for other files. */
export function probeFile(path: string): Elf | null {
  const bytes = readFileSync(path);
  const probe = new ElfProbe(bytes.length);
  for (let at = 0; at < bytes.length; at += MiB) probe.write(bytes.subarray(at, at + MiB));
  return probe.finish();
}

/** Returns the ELF files directly in these directories. */
export function elfFilesIn(...directories: readonly string[]): readonly string[] {
  return directories.flatMap((directory) =>
    readdirSync(directory)
      .map((name) => join(directory, name))
      .filter((path) => lstatSync(path).isFile() && startsAsElf(path)),
  );
}

function startsAsElf(path: string): boolean {
  const head = readFileSync(path).subarray(0, 4);
  return head.toString('latin1') === '\x7fELF';
}

/** Returns the directories of this machine that hold programs and libraries, as an image without contents. */
export function machineTable(): Table {
  const table: Record<string, Thing> = {};
  for (const root of ['bin', 'sbin', 'lib', 'lib64', 'lib32', 'libx32', 'usr', 'opt', 'etc'])
    add(root, table);
  return table;
}

const left = new Set(['usr/share', 'usr/include', 'usr/src', 'usr/lib/python3', 'usr/lib/debug']);

function add(path: string, table: Record<string, Thing>): void {
  const stat = lstatSync(`/${path}`, { throwIfNoEntry: false });
  if (stat === undefined || left.has(path)) return;
  if (stat.isSymbolicLink()) table[path] = symlink(readlinkSync(`/${path}`, 'latin1'));
  else if (stat.isFile()) table[path] = file(0, { mode: stat.mode & 0o7777 });
  else if (stat.isDirectory()) {
    table[`${path}/`] = directory();
    if (path.split('/').length < 6)
      for (const name of readdirSync(`/${path}`))
        if (/^[\x20-\x7e]+$/.test(name)) add(`${path}/${name}`, table);
  }
}

/** Returns facts about this machine's files. Each is read when it is asked for. */
export function machineFacts(): FileFacts {
  const known = new Map<string, Elf | null>();
  return {
    elf(path) {
      let elf = known.get(path);
      if (elf === undefined) {
        elf = lstatSync(`/${path}`).isFile() ? probeFile(`/${path}`) : null;
        known.set(path, elf);
      }
      return elf;
    },
    script: (path) => parseShebang(readFileSync(`/${path}`).subarray(0, 256)),
    mentions: () => [],
    modules: () => null,
    parts: () => [],
    contents: (path) => readFileSync(`/${path}`),
  };
}
