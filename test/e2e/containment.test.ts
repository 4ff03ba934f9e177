import { lstatSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { removeFolder, run, workFolder } from '../support/e2e/programs.ts';
import { sample } from '../support/extent.ts';
import { type Deeds, readDeeds } from '../support/e2e/syscalls.ts';
import { buildImage, type BuiltImage, writeLayout } from '../support/image-builder.ts';
import { tarCases } from '../support/corpus/all-cases.ts';
import { specOf } from '../support/model/shorthand.ts';
import { type EntrySpec, writeTar } from '../support/model/tar-bytes.ts';
import { hold } from '../support/registry/held-image.ts';
import { FakeRegistry } from '../support/registry/fake-registry.ts';

// Every awkward layer goes through every command below strace, which shows what the command does to the machine.
// The layers of others come with their sources: Go's archive/tar, Python's tarfile.

const goFolder = '/usr/share/go-1.19/src/archive/tar/testdata';
const pythonFolder = '/usr/lib/python3.11/test';
const script = fileURLToPath(new URL('../support/e2e/run-commands.ts', import.meta.url));
const command = fileURLToPath(new URL('../../dist/command/main.js', import.meta.url));

/** A name that must be neither looked at nor made, except in a tar. */
const canary = 'ocislim-canary';
const up = '../'.repeat(30);
const chain = (length: number): EntrySpec[] =>
  Array.from({ length }, (_, i) => specOf(`hop${i}~>${i + 1 === length ? `/tmp/${canary}` : `hop${i + 1}`}`));

/** Layers that lead out of the folder where they are unpacked, or that ask for something to be done. */
const ours: Readonly<Record<string, readonly (string | EntrySpec)[]>> = {
  dots: [`${up}tmp/${canary}=x`, `a/../../../tmp/${canary}=x`, '../=', '..', 'a/..'],
  absolute: [`/tmp/${canary}=x`, `//tmp//${canary}=x`, '/', `/etc/${canary}/`],
  drives: [`C:\\${canary}=x`, `C:${canary}=x`, `\\\\host\\${canary}=x`, `..\\..\\${canary}=x`],
  'symlink-out': [
    `out~>/tmp`,
    `up~>${up}tmp`,
    `self~>self`,
    'a~>b',
    'b~>a',
    `proc~>/proc/self/root/tmp/${canary}`,
  ],
  'below-symlink': ['out~>/tmp', `out/${canary}=x`],
  'below-symlink-above': [`tmp~>/tmp/${canary}`, 'etc/', `etc/link~>../tmp`],
  'symlink-chain': [...chain(60), 'hop0x=1'],
  'root-is-a-symlink': [{ name: './', type: 'symlink', linkname: `/tmp/${canary}` }, 'a=1'],
  'root-is-a-file': [{ name: '.', body: new Uint8Array(3) }],
  'hardlink-out': [`l->/etc/passwd`, `m->${up}etc/passwd`, `n->/tmp/${canary}`],
  'hardlink-through-symlink': ['s~>/etc', 'l->s/passwd'],
  'hardlink-to-symlink': [`s~>/tmp/${canary}`, 'l->s', 's=over'],
  'hardlink-to-itself': ['l->l', 'a->b', 'b->a'],
  devices: [
    { name: 'dev/sda', type: 'block', devmajor: 8, devminor: 0 },
    { name: 'dev/mem', type: 'char', devmajor: 1, devminor: 1, mode: 0o4777 },
    '|dev/fifo',
  ],
  whiteouts: ['.wh.etc', 'a/.wh..wh..opq', 'a/.wh.b', 'a/b=1', '.wh..wh.plnk/1.2', '.wh..wh.aufs'],
  'whiteout-out': [`.wh.${up}tmp/${canary}`, `../.wh.${canary}`, `/tmp/.wh.${canary}`],
  'whiteout-of-nothing': ['a/.wh.'],
  'whiteout-of-dots': ['a/.wh..', 'a/.wh...'],
  escapes: [`a\x1b[2J\x07\r\n::set-output name=${canary}::x=1`, 'b\xe2\x80\xae=1'],
  deep: [`${'d/'.repeat(2000)}${canary}=x`],
  long: [`${'n'.repeat(5000)}=x`],
  programs: [
    { name: 'bin/sh', body: new TextEncoder().encode(`#!/bin/sh\ntouch /tmp/${canary}\n`), mode: 0o6755 },
    {
      name: 'usr/bin/tool',
      body: new TextEncoder().encode(`#! /bin/sh -c touch$IFS/tmp/${canary}\n`),
      mode: 0o755,
    },
    { name: 'etc/ld.so.preload', body: new TextEncoder().encode(`/tmp/${canary}.so\n`) },
    {
      name: 'etc/ld.so.conf',
      body: new TextEncoder().encode(`include /tmp/${canary}/*.conf\n${up}tmp/${canary}\n`),
    },
    {
      name: 'var/lib/dpkg/status',
      body: new TextEncoder().encode(`Package: ${up}tmp/${canary}\nStatus: install ok installed\n\n`),
    },
    { name: 'xattr', xattrs: { 'security.capability': 'x', [`user.${canary}`]: 'x' } },
  ],
};

const base = writeTar(
  ['etc/', 'etc/passwd=root:x:0:0::/:/bin/sh', 'a/', 'a/b=old', 'var/', 'var/log/', 'var/log/x.log=1'].map(
    specOf,
  ),
);
const top = writeTar(['etc/hostname=h', 'a/c=new'].map(specOf));
const asksForMuch = {
  config: {
    Entrypoint: ['/bin/sh', '-c', `touch /tmp/${canary}`],
    Cmd: [`$(touch /tmp/${canary})`],
    WorkingDir: `${up}tmp/${canary}`,
    User: `${up}etc/passwd`,
    Volumes: { [`${up}tmp/${canary}`]: {} },
    Healthcheck: { Test: ['CMD-SHELL', `touch /tmp/${canary}`] },
    OnBuild: [`RUN touch /tmp/${canary}`],
  },
};

function imageOf(layer: Uint8Array): BuiltImage {
  return buildImage({ layers: [base, layer, top], compress: ['none', 'gzip', 'none'], config: asksForMuch });
}

function corpus(): Map<string, Uint8Array> {
  const layers = new Map(
    Object.entries(ours).map(([name, entries]) => [`ours-${name}`, writeTar(entries.map(specOf))]),
  );
  for (const [from, folder] of [
    ['go', goFolder],
    ['python', pythonFolder],
  ] as const)
    for (const name of readdirSync(folder).filter((name) => name.endsWith('.tar')))
      layers.set(`${from}-${name.slice(0, -4)}`, readFileSync(join(folder, name)));
  return layers;
}

let work: string;
beforeAll(() => {
  work = workFolder('containment');
  for (const name of ['tmp', 'out', 'reports']) mkdirSync(join(work, name));
  writeFileSync(join(work, 'used.list'), '/bin/sh\n/etc/passwd\n/usr/bin/tool\n/var/log/x.log\n');
});
afterAll(() => removeFolder(work));

/** Runs the commands in one process below strace. */
async function trace(
  name: string,
  commands: readonly (readonly string[])[],
): Promise<{ deeds: Deeds; statuses: number[] }> {
  const [list, log] = [join(work, `${name}.json`), join(work, `${name}.strace`)];
  writeFileSync(list, JSON.stringify(commands));
  const strace = ['-f', '--seccomp-bpf', '-y', '-s', '64', '-e', 'trace=%file,%process,%network', '-o', log];
  const stdout = await run('strace', [...strace, '--', process.execPath, script, command, list], {
    env: { TMPDIR: join(work, 'tmp'), HOME: '/nonexistent', UV_THREADPOOL_SIZE: '4' },
  });
  const statuses = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '') as number[];
  return { deeds: readDeeds(readFileSync(log, 'utf8'), process.cwd()), statuses };
}

/** Returns a pattern for every path that a command may make. No name out of a tar matches. */
function allowed(): RegExp {
  const made = [
    'tmp',
    `out(?:${sep}(?:blobs(?:${sep}sha256(?:${sep}(?:[0-9a-f]{64}|(?:blob|check)\\.partial-[0-9a-f-]+))?)?|(?:index\\.json|oci-layout|\\.ocislim\\.lock)(?:\\.partial-[0-9a-f-]+)?|check\\.partial-[0-9a-f-]+))?`,
    '\\.ocislim\\.lock\\.partial-[0-9a-f-]+',
    'reports/[0-9]+\\.json',
    'reports/rootfs\\.tar(?:\\.partial-[0-9a-f-]+)?',
    'cache(?:/(?:partial|recipes|blobs|CACHEDIR\\.TAG).*)?',
  ];
  return new RegExp(`^(?:${work.replaceAll('.', '\\.')}/(?:${made.join('|')})|/dev/(?:null|tty))$`);
}

function escapes({ touched, seen, started, others }: Deeds): string[] {
  const ways = allowed();
  return [
    ...[...touched].filter((path) => !ways.test(path)).map((path) => `touched ${path}`),
    ...[...seen].filter((path) => path.includes(canary)).map((path) => `looked at ${path}`),
    ...started.slice(1).map((path) => `started ${path}`),
    ...others,
  ];
}

/** Lists the folders of a path that are below another one. */
function ancestorsBelow(path: string, top: string): string[] {
  const above: string[] = [];
  for (let at = dirname(path); at.length > top.length; at = dirname(at)) above.push(at);
  return above;
}

function isLink(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true;
}

describe('T1, T2: whatever a layer holds', () => {
  it('no command writes outside of its folders, starts anything, or reaches for the network', async () => {
    const layers = new Map(sample([...corpus()], 2));
    const images = Object.fromEntries([...layers].map(([name, layer]) => [name, imageOf(layer)]));
    await writeLayout(join(work, 'in'), images);
    const [source, out] = [`oci:${join(work, 'in')}`, `oci:${join(work, 'out')}`];
    const commands = [...layers.keys()].flatMap((name, i) => {
      const [from, to, report] = [`${source}:${name}`, `${out}:${name}`, join(work, 'reports', `${i}.json`)];
      return [
        ['squash', from, to, '--all', '--report', report],
        ['prune', from, to, '--shadowed', '--rule', '**/*.log', '--rule', `**/${canary}`, '--report', report],
        ['prune', from, to, '--trace', join(work, 'used.list'), '--granularity', 'package', '--force'],
        ['slim', from, to, '--compression', 'zstd', '--cache-dir', join(work, 'cache')],
        ['recompress', from, to, '--compression', 'zstd'],
        ['verify', from, to],
        ['export', from, join(work, 'reports', 'rootfs.tar')],
      ].map((args) => [...args, '-q']);
    });
    const { deeds, statuses } = await trace('layers', commands);
    expect(corpus().size).toBeGreaterThan(60);
    expect(statuses).toHaveLength(commands.length);
    expect(escapes(deeds)).toEqual([]);
    expect([...deeds.reached]).toEqual([]);
    // The commands did their work: every layer can be recompressed, most can be squashed.
    const done = (position: number) =>
      statuses.filter((status, i) => i % 7 === position && status === 0).length;
    expect(done(4)).toBe(layers.size);
    for (const position of [0, 1, 2, 3, 6]) expect(done(position)).toBeGreaterThan(layers.size / 4);
    const odd = statuses.flatMap((status, i) =>
      [0, 1, 3].includes(status) ? [] : [`${status}: ${commands[i]?.join(' ')}`],
    );
    expect(odd).toEqual([]);
    expect(
      [...deeds.touched].filter((path) => /^.*\/out\/blobs\/sha256\/[0-9a-f]{64}$/.test(path)).length,
    ).toBeGreaterThan(layers.size);
    expect(readdirSync(join(work, 'tmp'))).toEqual([]);
  });

  it('nor over any of the malformed tars that we make', async () => {
    const tag = (i: number) => `case-${i}`;
    const cases = sample(tarCases, 3);
    await writeLayout(
      join(work, 'cases'),
      Object.fromEntries(cases.map(({ tar }, i) => [tag(i), imageOf(tar)])),
    );
    const commands = cases.flatMap((_, i) => {
      const [from, to] = [`oci:${join(work, 'cases')}:${tag(i)}`, `oci:${join(work, 'out')}:${tag(i)}`];
      return [
        ['squash', from, to, '--all', '-q'],
        ['prune', from, to, '--shadowed', '--rule', '**/f', '-q'],
        ['export', from, join(work, 'reports', 'rootfs.tar'), '-q'],
      ];
    });
    const { deeds, statuses } = await trace('cases', commands);
    expect(tarCases.length).toBeGreaterThan(100);
    expect(escapes(deeds)).toEqual([]);
    expect([...deeds.reached]).toEqual([]);
    expect(new Set(statuses)).toEqual(new Set([0, 1]));
    expect(readdirSync(join(work, 'tmp'))).toEqual([]);
  });

  it('extract makes files in its own folder alone, and follows no symbolic link', async () => {
    const held = new Map([
      ...sample([...corpus()], 2),
      ...sample(tarCases, 3).map(({ tar }, i) => [`case-${i}`, tar] as const),
    ]);
    await writeLayout(
      join(work, 'held'),
      Object.fromEntries([...held].map(([name, layer]) => [name, imageOf(layer)])),
    );
    const files = join(work, 'files');
    const targets = [...held.keys()].map((name) => join(files, name));
    const commands = [...held.keys()].map((name, i) => [
      'extract',
      `oci:${join(work, 'held')}:${name}`,
      '/',
      targets[i] ?? '',
      '-q',
      ...(i % 2 === 0 ? ['--setuid'] : []),
    ]);
    const { deeds, statuses } = await trace('extract', commands);
    const isOutside = (path: string) => path !== files && !path.startsWith(`${files}/`);
    const ways = allowed();
    expect([...deeds.touched].filter((path) => isOutside(path) && !ways.test(path))).toEqual([]);
    expect([...deeds.seen].filter((path) => path.includes(canary) && isOutside(path))).toEqual([]);
    expect([deeds.started.slice(1), [...deeds.others], [...deeds.reached]]).toEqual([[], [], []]);
    // Where it was written there are no links on the way, so that the names are the places.
    const places = [...deeds.touched].map((path) =>
      path.replace(/^(.*\/files\/)\.(.*?)\.partial-[0-9a-f-]+/, '$1$2'),
    );
    const through = places.filter((path) => ancestorsBelow(path, files).some((above) => isLink(above)));
    expect(through).toEqual([]);
    // What failed left nothing, and what did not has its name.
    const done = targets.filter((_, i) => statuses[i] === 0);
    expect(done.length).toBeGreaterThan(targets.length / 4);
    expect(readdirSync(files).toSorted()).toEqual(
      done.map((path) => path.slice(files.length + 1)).toSorted(),
    );
    expect(new Set(statuses)).toEqual(new Set([0, 1]));
    expect(places.length).toBeGreaterThan(targets.length);
  });

  it('from and to a registry on loopback, nothing else is reached', async () => {
    const registry = await FakeRegistry.start();
    const { host } = registry;
    for (const [name, layer] of corpus())
      if (name.startsWith('ours-')) hold(registry.repository('app'), imageOf(layer), name);
    const names = Object.keys(ours).map((name) => `ours-${name}`);
    const commands = names.flatMap((name) => {
      const [from, to] = [`${host}/app:${name}`, `${host}/made:${name}`];
      return [
        ['squash', from, to, '--all'],
        ['recompress', from, to, '--compression', 'zstd'],
      ].map((args) => [...args, '-q']);
    });
    const { deeds, statuses } = await trace('registry', commands);
    await registry.close();
    expect(escapes(deeds)).toEqual([]);
    expect([...deeds.reached].sort()).toEqual([`connect 127.0.0.1:${host.split(':')[1]}`, 'socket AF_INET']);
    expect(statuses.filter((status) => status === 0).length).toBeGreaterThan(names.length);
    expect([...deeds.touched]).toContain(join(work, 'tmp'));
    expect(readdirSync(join(work, 'tmp'))).toEqual([]);
  });

  it('and where a command did so it would be seen', async () => {
    const bad = join(work, 'bad.mjs');
    writeFileSync(
      bad,
      `import fs from 'node:fs'; import { execFileSync } from 'node:child_process'; import net from 'node:net';
      export async function main([what]) {
        if (what === 'write') fs.writeFileSync('/tmp/${canary}', 'x');
        if (what === 'remove') fs.rmSync('/tmp/${canary}');
        if (what === 'folder') { fs.mkdirSync('${work}/out/usr'); fs.rmdirSync('${work}/out/usr'); }
        if (what === 'mode') fs.chmodSync('${work}/used.list', 0o600);
        if (what === 'look') fs.existsSync('/etc/${canary}');
        if (what === 'start') execFileSync('/bin/true');
        if (what === 'connect') await new Promise((resolve) => net.connect(1, '127.0.0.2').on('error', resolve));
        return 0;
      }`,
    );
    const list = join(work, 'bad.json');
    const log = join(work, 'bad.strace');
    writeFileSync(
      list,
      JSON.stringify([['write'], ['remove'], ['folder'], ['mode'], ['look'], ['start'], ['connect']]),
    );
    await run('strace', [
      '-f',
      '--seccomp-bpf',
      '-y',
      '-e',
      'trace=%file,%process,%network',
      '-o',
      log,
      '--',
      process.execPath,
      script,
      bad,
      list,
    ]);
    const deeds = readDeeds(readFileSync(log, 'utf8'), process.cwd());
    const found = escapes(deeds);
    for (const expected of [
      `touched /tmp/${canary}`,
      `touched ${work}/out/usr`,
      `touched ${work}/used.list`,
      `looked at /etc/${canary}`,
      'started /bin/true',
    ])
      expect(found).toContain(expected);
    expect(found.some((what) => /^(?:clone3?|vfork)\(/.test(what))).toBe(true);
    expect([...deeds.reached]).toContain('connect 127.0.0.2:1');
  });
});
