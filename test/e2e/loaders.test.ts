import { realpathSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { closeOver } from '../../src/closure/closure.ts';
import { elfNeededRule } from '../../src/closure/rules/elf-needed.ts';
import { knownImports } from '../../src/rootfs/facts/known-imports.ts';
import { parseLdCache } from '../../src/rootfs/facts/ld-cache.ts';
import { inputOf, wanting } from '../closure/rig.ts';
import { runToEnd } from '../support/e2e/programs.ts';
import { elfFilesIn, machineFacts, machineTable, probeFile } from '../support/e2e/this-machine.ts';
import { p } from '../support/bytes.ts';

// This machine's own programs and libraries, as binutils and glibc read them.
const programs = elfFilesIn('/usr/bin', '/usr/sbin');
const libraries = elfFilesIn(`/usr/lib/${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu`);
const environment = { LC_ALL: 'C', LD_LIBRARY_PATH: undefined, LD_PRELOAD: undefined };

/** Runs a program on many files, and returns its output by file. */
async function forEach(
  program: string,
  args: readonly string[],
  files: readonly string[],
  heading: RegExp,
): Promise<ReadonlyMap<string, string>> {
  const parts = new Map<string, string>();
  const { stdout } = await runToEnd(program, [...args, ...files], { env: environment });
  let current = '';
  for (const line of stdout.split('\n')) {
    const file = heading.exec(line)?.[1];
    if (file === undefined) parts.set(current, `${parts.get(current) ?? ''}${line}\n`);
    else current = file;
  }
  return parts;
}

/** Reads the symbol versions of a file as readelf prints them, without the name of the file itself and weak needs. */
function versionsIn(text: string): object {
  const versions = all(text, /Rev: 1 +Flags: (?!BASE).* Name: (\S+)$/gm);
  const versionNeeds = text
    .split(/^ +0\S+: Version: 1 +File: /m)
    .slice(1)
    .flatMap((part) => {
      const [library] = part.split(/\s/);
      const needed = all(part, /Name: (\S+) +Flags: (?!WEAK)/g);
      return needed.length === 0 ? [] : [{ library, versions: needed }];
    });
  return {
    ...(versions.length === 0 ? {} : { versions }),
    ...(versionNeeds.length === 0 ? {} : { versionNeeds }),
  };
}

function all(text: string, pattern: RegExp): string[] {
  return [...text.matchAll(pattern)].map(([, found = '']) => found);
}

describe('this machine’s ELF files', () => {
  test('say what readelf says', async () => {
    const files = [...programs, ...libraries].filter((_, i) => i % 2 === 0);
    const said = await forEach('readelf', ['-dlVW', '--dyn-syms'], files, /^File: (.*)$/);
    expect(files.length).toBeGreaterThan(200);
    for (const file of files) {
      const text = said.get(file) ?? '';
      const elf = probeFile(file);
      const one = (pattern: RegExp): string | null => all(text, pattern)[0] ?? null;
      const undefinedSymbols = all(text, /^ +\d+: +\S+ +\d+ +\S+ +\S+ +\S+ +UND ([^@\s]+)/gm);
      expect([file, elf]).toEqual([
        file,
        {
          bits: 64,
          endian: 'little',
          machine: process.arch === 'arm64' ? 183 : 62,
          interpreter: one(/program interpreter: (.*)\]/g),
          soname: one(/\(SONAME\).*\[(.*)\]/g),
          needed: all(text, /\(NEEDED\).*\[(.*)\]/g),
          rpath: one(/\(RPATH\).*\[(.*)\]/g),
          runpath: one(/\(RUNPATH\).*\[(.*)\]/g),
          ...versionsIn(text),
          imports: new Set(undefinedSymbols.filter((name) => knownImports.has(name))),
          trouble: null,
        },
      ]);
    }
  });

  test('need what ldd finds for them', async () => {
    const input = { ...(await inputOf({ image: machineTable() })), facts: machineFacts() };
    const files = programs
      .filter((file) => (probeFile(file)?.interpreter ?? null) !== null)
      .filter((_, i) => i % 3 === 0);
    const said = await forEach('ldd', [], files, /^(\/.*):$/);
    expect(files.length).toBeGreaterThan(100);
    for (const file of files) {
      const text = said.get(file) ?? '';
      if (/not found|not a dynamic/.test(text)) continue;
      const closure = closeOver(input, [wanting(file), elfNeededRule]);
      const kept = [...closure.paths()]
        .filter((path) => input.fs.kind(path) === 'file')
        .map((path) => `/${path}`);
      const loaded = all(text, /^\s(?:.* => )?(\/\S+) \(0x/gm).map((path) => realpathSync(path));
      // The loader itself is needed only by files that name it.
      const isLibrary = (path: string): boolean =>
        !/\/ld-linux[^/]*$/.test(path) && !path.includes('/glibc-hwcaps/') && path !== realpathSync(file);
      expect([file, kept.filter(isLibrary).sort()]).toEqual([
        file,
        [...new Set(loaded.filter(isLibrary))].sort(),
      ]);
    }
  });
});

test('this machine’s ld.so.cache has what ldconfig lists', async () => {
  const { stdout } = await runToEnd('/sbin/ldconfig', ['-p'], { env: environment });
  const listed = [...stdout.matchAll(/^\s+(\S+) \(.*\) => (\S+)$/gm)].map(
    ([, name, path]) => `${name} ${path}`,
  );
  const rows = parseLdCache(machineFacts().contents(p('etc/ld.so.cache')) ?? new Uint8Array());
  expect(listed.length).toBeGreaterThan(10);
  expect(rows?.map(({ name, path }) => `${name} ${path}`)).toEqual(listed);
});
