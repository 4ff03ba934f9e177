import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const src = fileURLToPath(new URL('../../src', import.meta.url));

/** The rooms, lowest first, each with those that it imports: no more than it really does. */
const rooms: Readonly<Record<string, string>> = {
  oci: '',
  bytes: '',
  retry: '',
  stream: 'oci',
  rules: 'bytes',
  fleet: 'oci',
  place: 'oci stream',
  files: 'oci stream place',
  tar: 'bytes stream',
  changeset: 'bytes tar',
  codec: 'oci stream',
  image: 'oci bytes rules codec',
  configure: 'oci image',
  probe: '',
  attest: 'oci bytes image',
  registry: 'oci retry stream place files',
  store: 'oci bytes retry stream place files tar codec',
  trace: 'oci bytes image',
  rootfs: 'oci bytes changeset codec',
  closure: 'oci bytes rules image configure trace rootfs',
  relayer: 'bytes changeset codec rootfs',
  slim: 'oci bytes rules changeset image configure rootfs closure relayer',
  rebase: 'oci bytes image rootfs closure',
  analyze: 'oci bytes rules changeset image rootfs slim',
  compress: 'oci codec image',
  build: 'bytes rules stream files tar codec image',
  layers: 'oci bytes stream place files tar changeset codec image store rootfs slim build',
  jobs: 'oci bytes stream fleet place files changeset codec image configure probe registry store trace rootfs closure slim rebase analyze compress build layers',
  report:
    'oci bytes rules fleet changeset codec image configure probe attest trace rootfs closure slim rebase analyze compress layers jobs',
  settings:
    'oci bytes rules fleet files codec image configure probe registry trace rootfs slim analyze compress build report',
  commands:
    'oci bytes stream rules fleet place files codec image configure probe attest registry store trace slim rebase analyze compress build layers jobs report settings',
  cli: 'oci bytes stream rules fleet files changeset codec image probe attest store trace rootfs closure slim analyze jobs report settings commands',
};

const allowed = (room: string): readonly string[] =>
  (rooms[room] ?? '').split(' ').filter((name) => name !== '');

/** Files of no room, which every room may import. */
const free = [
  'closeable.ts',
  'closest-word.ts',
  'errors.ts',
  'events.ts',
  'limits.ts',
  'shell-word.ts',
  'steps.ts',
  'units.ts',
];

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

  it('point one way: each room imports only rooms that stand before it in the table', () => {
    const names = Object.keys(rooms);
    const upward = names.flatMap((room, i) =>
      allowed(room)
        .filter((other) => !names.slice(0, i).includes(other))
        .map((other) => `${room} imports ${other}`),
    );
    expect(upward).toEqual([]);
  });

  it('between rooms are those of the table, and each of these is there', () => {
    const found = new Set<string>();
    for (const each of imports) {
      const target = roomOf(each);
      if (each.room !== '' && target !== null && target !== each.room) found.add(`${each.room} -> ${target}`);
    }
    const told = Object.keys(rooms).flatMap((room) => allowed(room).map((other) => `${room} -> ${other}`));
    expect([...found].toSorted()).toEqual(told.toSorted());
  });

  it('of the pure rooms touch no machine: only plain values and functions', () => {
    const pure = [
      'bytes',
      'rules',
      'fleet',
      'changeset',
      'image',
      'configure',
      'rootfs',
      'closure',
      'relayer',
      'slim',
      'rebase',
      'analyze',
      'compress',
      'probe',
    ];
    const wrong = imports.filter(({ room, names }) => pure.includes(room) && !names.startsWith('.'));
    expect(wrong).toEqual([]);
  });

  it('of zlib, libdeflate and pako occur in codec alone', () => {
    const codecs = ['node:zlib', 'libdeflate', 'pako'];
    const namers = imports.filter(({ names }) => codecs.includes(names)).map(({ room }) => room);
    expect(new Set(namers)).toEqual(new Set(['codec']));
  });

  it('of a package occur where that package is at home', () => {
    const homes: Readonly<Record<string, readonly string[]>> = {
      '@cyclonedx/cyclonedx-library/Enums': ['report'],
      '@cyclonedx/cyclonedx-library/Models': ['report'],
      '@cyclonedx/cyclonedx-library/SPDX': ['report'],
      '@cyclonedx/cyclonedx-library/Serialize': ['report'],
      '@cyclonedx/cyclonedx-library/Spec': ['report'],
      '@noble/ciphers/salsa.js': ['attest'],
      'd3-hierarchy': ['report'],
      diff: ['jobs'],
      libdeflate: ['codec'],
      'node-forge': ['registry'],
      pako: ['codec'],
      'string-width': ['cli'],
      undici: ['registry'],
      yaml: ['settings'],
      zod: ['settings', 'report'],
    };
    const packages = imports.filter(({ names }) => !names.startsWith('.') && !names.startsWith('node:'));
    const wrong = packages.filter(({ names, room }) => !homes[names]?.includes(room));
    expect(wrong.map(({ file, names }) => `${file} imports ${names}`)).toEqual([]);
  });
});

/** The face of each room: the file in which a newcomer begins. */
const faces: Readonly<Record<string, string>> = {
  oci: 'manifest',
  retry: 'retrying',
  bytes: 'bytes',
  stream: 'byte-stream',
  rules: 'rules',
  fleet: 'index',
  place: 'place',
  files: 'file-bytes',
  tar: 'reader',
  changeset: 'change',
  codec: 'encoding',
  image: 'image',
  configure: 'configure',
  probe: 'probe',
  attest: 'statement',
  registry: 'index',
  store: 'index',
  trace: 'trace',
  rootfs: 'filesystem',
  closure: 'closure',
  relayer: 'component',
  slim: 'index',
  rebase: 'rebase',
  analyze: 'analysis',
  compress: 'index',
  build: 'index',
  layers: 'index',
  jobs: 'index',
  report: 'report',
  settings: 'option',
  commands: 'index',
  cli: 'main',
};

describe('rooms', () => {
  it('have a face each', () => {
    expect(Object.keys(faces).toSorted()).toEqual(Object.keys(rooms).toSorted());
  });

  it.each(Object.entries(faces))('%s begins with two sentences in %s.ts', (room, face) => {
    const [head = ''] = /^\/\*\*[\s\S]*?\*\//.exec(readFileSync(join(src, room, `${face}.ts`), 'utf8')) ?? [];
    expect(head.match(/[.:](?=\s)/g)?.length ?? 0, head).toBeGreaterThanOrEqual(2);
  });
});

describe('the library', () => {
  it('prints nothing: only cli writes to the terminal', () => {
    const printing = readdirSync(src, { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts') && !file.startsWith('cli/') && !file.endsWith('-process.ts'))
      .filter((file) =>
        /\bconsole\.(?:log|error|warn|info)|process\.(?:stdout|stderr|exit)\b/.test(
          readFileSync(join(src, file), 'utf8'),
        ),
      );
    expect(printing).toEqual([]);
  });
});
