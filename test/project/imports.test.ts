import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const src = fileURLToPath(new URL('../../src', import.meta.url));

/** The rooms, each with those that it may import. */
const lower = ['oci', 'stream', 'tar', 'codec', 'changeset', 'image'];
const rooms: Readonly<Record<string, readonly string[]>> = {
  oci: [],
  stream: ['oci'],
  tar: ['oci', 'stream'],
  codec: ['oci', 'stream', 'tar'],
  changeset: ['oci', 'stream', 'tar', 'codec'],
  image: ['oci', 'stream', 'tar', 'codec', 'changeset'],
  slim: lower,
  compress: lower,
  store: [...lower, 'slim', 'compress'],
  execute: [...lower, 'slim', 'compress', 'store'],
  report: [...lower, 'slim', 'compress', 'store', 'execute'],
  cli: [...lower, 'slim', 'compress', 'store', 'execute', 'report'],
};

/** Files of no room, which every room may import. */
const free = ['errors.ts', 'events.ts', 'limits.ts'];

interface Import {
  readonly file: string;
  readonly room: string;
  readonly names: string;
}

const imports: Import[] = readdirSync(src, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .flatMap((file) => {
    const source = readFileSync(join(src, file), 'utf8').replace(/^\s*\*.*$/gm, '');
    const room = file.includes('/') ? (file.split('/')[0] as string) : '';
    return [...source.matchAll(/(?:\bfrom|\bimport|\bimport\(|new URL\()\s*'([^'\n]+)'/g)]
      .map((match) => ({ file, room, names: match[1] as string }))
      .filter(({ names }) => names.startsWith('.') || /^(?:node:)?[a-z@]/.test(names));
  });

function roomOf({ file, names }: Import): string | null {
  if (!names.startsWith('.')) return null;
  const target = relative(src, join(src, dirname(file), names));
  if (target.startsWith('..') || free.includes(target)) return null;
  return target.includes('/') ? (target.split('/')[0] as string) : target;
}

describe('imports', () => {
  it('were found in every room', () => {
    expect(new Set(imports.map(({ room }) => room))).toEqual(new Set(['', ...Object.keys(rooms)]));
    expect(imports.length).toBeGreaterThan(300);
  });

  it('point one way', () => {
    const wrong = imports.filter((each) => {
      const target = roomOf(each);
      return (
        each.room !== '' && target !== null && target !== each.room && !rooms[each.room]?.includes(target)
      );
    });
    expect(wrong.map(({ file, names }) => `${file} imports ${names}`)).toEqual([]);
  });

  it('of slim and compress touch no machine: only plain values and functions', () => {
    const wrong = imports.filter(
      ({ room, names }) =>
        ['slim', 'compress', 'changeset', 'image'].includes(room) && !names.startsWith('.'),
    );
    expect(wrong).toEqual([]);
  });

  it('of zlib, libdeflate and pako occur in codec alone', () => {
    const codecs = ['node:zlib', 'libdeflate', 'pako'];
    const namers = imports.filter(({ names }) => codecs.includes(names)).map(({ room }) => room);
    expect(new Set(namers)).toEqual(new Set(['codec']));
  });

  it('of a package occur where that package is at home', () => {
    const homes: Readonly<Record<string, readonly string[]>> = {
      libdeflate: ['codec'],
      'node-forge': ['store'],
      pako: ['codec'],
      undici: ['store'],
      yaml: ['cli'],
      yargs: ['cli'],
      zod: ['cli', 'report'],
    };
    const packages = imports.filter(({ names }) => !names.startsWith('.') && !names.startsWith('node:'));
    const wrong = packages.filter(({ names, room }) => !homes[names]?.includes(room));
    expect(wrong.map(({ file, names }) => `${file} imports ${names}`)).toEqual([]);
  });
});

describe('the library', () => {
  it('prints nothing: only cli writes to the terminal', () => {
    const printing = readdirSync(src, { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts') && !file.startsWith('cli/'))
      .filter((file) =>
        /\bconsole\.(?:log|error|warn|info)|process\.(?:stdout|stderr|exit)\b/.test(
          readFileSync(join(src, file), 'utf8'),
        ),
      );
    expect(printing).toEqual([]);
  });
});
