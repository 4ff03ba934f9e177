import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { commands } from '../../src/cli/commands/all.ts';
import { callCli, type CliResult, runCli } from '../support/cli.ts';
import { expectHarmless, expectNoMarkup, nasty, nastyName } from '../support/hostile-text.ts';
import { type BuiltImage, buildImage, buildIndex, digestOf, writeLayout } from '../support/image-builder.ts';
import { utf8 } from '../support/model/byte-string.ts';
import { type EntrySpec, writeTar } from '../support/model/tar-bytes.ts';

/** The hostile text as a file name holds it: bytes, without a slash. */
const name = utf8(nastyName);
/** A hostile name that is not UTF-8. */
const broken = `${name}\xff\xed\xa0\x80`;
const text = (content: string): Uint8Array => Buffer.from(content);
/** The hostile text on one line, for files that are read by lines. */
const line = nasty.replaceAll(/[\r\n]+/g, '\t');

const file = (path: string, body: string | Uint8Array = 'x'.repeat(2000), mode = 0o644): EntrySpec => ({
  type: 'file',
  name: path,
  body: typeof body === 'string' ? text(body) : body,
  mode,
});

function layers(seed: string): Uint8Array[] {
  return [
    writeTar([
      file('bin/sh', 'program', 0o755),
      file('bin/su', 'program', 0o4755),
      file('etc/passwd', `root:x:0:0::/:/bin/sh\n${line}:x:7:7:${line}:/:/bin/sh\n`),
      file('etc/group', `${line}:x:7:${line}\n`),
      file(
        'var/lib/dpkg/status',
        `Package: ${line}\nStatus: install ok installed\nVersion: ${line}\nArchitecture: all\n\nPackage: other\nStatus: install ok installed\nVersion: 1\nArchitecture: all\n\n`,
      ),
      file(`var/lib/dpkg/info/${name}.list`, `/bin/sh\n/opt/${line}\n`),
      file('var/lib/dpkg/info/other.list', '/opt/gone\n'),
      file('etc/os-release', `ID=debian\nPRETTY_NAME="${line}"\n`),
      file(`app/${name}`, `#!/bin/sh ${line}\n`, 0o755),
      file(`app/${broken}`),
      file(`opt/${name}/${name}`, seed),
      file(`opt/twin-${name}`, 'twin'.repeat(500)),
      file(`opt/twin2-${name}`, 'twin'.repeat(500)),
    ]),
    writeTar([
      { type: 'symlink', name: `app/link-${name}`, linkname: name },
      { type: 'symlink', name: `app/lost-${name}`, linkname: `/nowhere/${name}` },
      { type: 'link', name: `app/hard-${name}`, linkname: `app/${name}` },
      file(`opt/${name}/${name}`, `newer ${seed}`),
      file(`cache/${name}`),
      file(`cache/${broken}`),
      file(`opt/.wh.twin-${name}`, ''),
    ]),
  ];
}

function hostile(seed: string, more: object = {}): BuiltImage {
  return buildImage({
    layers: layers(seed),
    annotations: { [nasty]: nasty, 'org.opencontainers.image.title': nasty },
    layerAnnotations: [{ [nasty]: nasty }, { [nasty]: nasty }],
    config: {
      author: nasty,
      config: {
        Env: [`PATH=/bin:/${nasty}`, `${nasty}=${nasty}`, `AWS_SECRET_${nasty}=x`, `TOKEN=${nasty}`],
        Entrypoint: [`/app/${nastyName}`, nasty],
        Cmd: [nasty],
        User: nasty.replaceAll(':', ';'),
        WorkingDir: `/${nasty}`,
        Volumes: { [`/${nasty}`]: {} },
        ExposedPorts: { [nasty]: {} },
        Healthcheck: { Test: ['CMD-SHELL', nasty] },
        Labels: { [nasty]: nasty },
        Shell: [nasty],
        StopSignal: nasty,
      },
      history: [
        { created_by: nasty, comment: nasty, author: nasty },
        { created_by: nasty, comment: nasty, empty_layer: true },
        { created_by: nasty, comment: nasty },
      ],
      ...more,
    },
    platform: { os: 'linux', architecture: 'amd64', variant: nasty, 'os.version': nasty },
  });
}

/** Returns the image with a layer whose media type is hostile, too. */
function odd(image: BuiltImage): BuiltImage {
  const type = `"mediaType":"${image.layers[0]?.mediaType}"`;
  const manifest = text(
    Buffer.from(image.manifest)
      .toString()
      .replace(type, `"mediaType":${JSON.stringify(nasty)}`),
  );
  const blobs = new Map(image.blobs);
  blobs.delete(image.descriptor.digest);
  const digest = digestOf(manifest);
  blobs.set(digest, manifest);
  return { ...image, manifest, blobs, descriptor: { ...image.descriptor, digest, size: manifest.length } };
}

let folder = '';
let out = '';
let count = 0;
let places: Record<'image' | 'trace' | 'lines' | 'pruned' | 'report' | 'named' | 'docker', string>;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ocislim-words-'));
  const layout = join(folder, 'layout');
  const [one, two] = [hostile('a'), hostile('b')];
  await writeLayout(layout, {
    v1: one,
    v2: two,
    odd: odd(one),
    index: buildIndex({ images: [one, two], annotations: { [nasty]: nasty } }),
    broken: hostile('c', { rootfs: { type: nasty } }),
    undone: hostile('d', { rootfs: { type: 'layers', diff_ids: [nasty, nasty] } }),
    lying: hostile('e', { rootfs: { type: 'layers', diff_ids: [digestOf(text('x')), digestOf(text('y'))] } }),
    below: buildImage({ layers: [writeTar([file(name), file(`${name}/${name}`)]), writeTar([file('z')])] }),
    lost: buildImage({
      layers: [writeTar([{ type: 'link', name, linkname: `${name}/2` }]), writeTar([file('z')])],
    }),
    pipes: buildImage({ layers: [writeTar([{ type: 'fifo', name }, file('z')])] }),
    twice: buildImage({ layers: [writeTar([file(`${name}/A`), file(`${name}/a`)])] }),
    climbs: buildImage({ layers: [writeTar([file(`../${name}`)]), writeTar([file('z')])] }),
  });
  const named = join(folder, 'named');
  await writeLayout(named, { [nasty]: one, [`${nasty}2`]: two });
  const trace = join(folder, 'own.trace');
  const header = { ocislim: 'trace', version: 1, formats: [nasty], command: ['/bin/sh', nasty] };
  const paths = ['/bin/sh', `/app/${nastyName}`, `/${nasty}`, '/etc/passwd'];
  const rows = [
    { ...header, knowsExecs: true, hasAllSyscalls: true },
    ...paths.map((path) => ({ path, uses: ['open', 'exec'] })),
    { path: 'x', pathBase64: Buffer.from(`/app/${broken}`, 'latin1').toString('base64'), uses: ['open'] },
    { syscall: 'openat', count: 3 },
    { syscall: nasty, count: 1 },
    { what: nasty },
  ];
  writeFileSync(trace, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  const lines = join(folder, 'strace.trace');
  const call = `openat(AT_FDCWD, "/${line}", O_RDONLY) = 3`;
  writeFileSync(
    lines,
    `execve("/bin/sh", ["sh"], 0x0 /* 1 var */) = 0\n${`${call}\n`.repeat(9)}${line}\nopenat(${line}\n12 ${line}(3) = 0\n`,
  );
  places = {
    image: `oci:${layout}`,
    trace,
    lines,
    named,
    pruned: `oci:${join(folder, 'pruned')}:v1`,
    report: join(folder, 'report.json'),
    docker: join(folder, 'docker.tar'),
  };
  const { image, pruned, report } = places;
  const args = ['--rule', 'cache/**', '--report', report, '--progress', 'none'];
  const done = await callCli(['prune', `${image}:v1`, pruned, ...args]);
  expect(done.status, done.stderr).toBe(0);
  const row = { Config: nasty, RepoTags: [nasty], Layers: [nasty] };
  writeFileSync(places.docker, writeTar([file('manifest.json', JSON.stringify([row, row]))]));
});
afterAll(() => rmSync(folder, { recursive: true }));
beforeEach(() => {
  out = join(folder, `out-${(count += 1)}`);
  mkdirSync(out);
});

const reports = (): string[] =>
  ['r.json', 'r.md']
    .flatMap((each) => ['--report', join(out, each)])
    .concat('--metadata-file', join(out, 'm.json'));
const into = (): string => `oci:${join(out, 'layout')}:v1`;
const to = (): string[] => [
  into(),
  ...reports(),
  '--digestfile',
  join(out, 'd'),
  '--iidfile',
  join(out, 'i'),
];
const dry = (): string[] => ['--dry-run', ...reports()];
const tracing = (): string[] => [
  '--trace',
  places.trace,
  '--explain',
  `app/${nasty}`,
  '--explain',
  'etc/passwd',
  '--explain',
  `cache/${nasty}`,
];

const analysisReports = (): string[] =>
  ['r.json', 'r.md', 'r.csv'].flatMap((each) => ['--report', join(out, each)]);
/** Gates that are not met, and some that name what they found. */
const strict = (): string[] => [
  '--max-layers',
  '1',
  '--max-size',
  '1',
  '--max-layer-size',
  '1',
  '--max-reclaimable',
  '0',
  '--forbid-path',
  '**',
  '--forbid-package',
  '*',
  '--allow-base',
  `${places.image}:below`,
  '--require-label',
  nasty,
  '--allow-port',
  nasty,
  '--require-healthcheck',
  '--forbid-root',
  '--forbid-setuid',
  '--forbid-secrets',
  '--forbid-latest',
  '--forbid-mistakes',
];

/** The runs of each command, over an image whose words are all hostile. Together they use every way of output. */
const runs: Readonly<Record<string, readonly (() => string[])[]>> = {
  squash: [
    () => [`${places.image}:v1`, '--all', ...to()],
    () => [`${places.image}:v1`, '--all', ...dry(), '--format', 'json'],
    () => [`${places.image}:index`, '--all', ...to()],
    ...['odd', 'broken', 'undone', 'lying', 'below', 'lost', 'climbs', nasty].map((tag) => () => [
      `${places.image}:${tag}`,
      '--all',
      ...to(),
    ]),
    () => [`${places.image}:v1`, '--base', `${places.image}:v2`, ...dry()],
    () => [`oci:${places.named}`, '--all', ...dry()],
    () => [`oci:${places.named}:none`, '--all', ...dry()],
    () => [`oci:${places.named}:${nasty}`, '--all', ...dry()],
    () => [`docker-archive:${places.docker}`, '--all', ...dry()],
    () => [`docker-archive:${places.docker}:none:v1`, '--all', ...dry()],
  ],
  config: [
    () => [`${places.image}:v1`, '--env', `A=${nasty}`, '--label', `${nasty}=x`, '--user', 'app', ...to()],
    () => [`${places.image}:v1`, '--cmd', nasty, '--author', nasty, ...dry(), '--format', 'json'],
    () => [`${places.image}:odd`, '--entrypoint', '["/a"]', ...to()],
    () => [`${places.image}:v1`, '--healthcheck', nasty, ...dry()],
    () => [`${places.image}:v1`, '--expose', nasty, ...dry()],
    () => [`${places.image}:v1`, '--user', nasty, ...dry()],
  ],
  append: [
    () => [`${places.image}:v1`, '--layer', `${places.trace}:/a/`, ...to()],
    () => [`${places.image}:odd`, '--layer', `${nasty}:/a`, ...dry()],
    () => [`${places.image}:v1`, '--layer', `${places.trace}:/${nastyName}/x`, ...dry()],
  ],
  rebase: [
    () => [
      `${places.image}:v1`,
      '--old-base',
      `${places.image}:v1`,
      '--new-base',
      `${places.image}:v2`,
      ...to(),
    ],
    () => [
      `${places.image}:v1`,
      '--old-base',
      `${places.image}:v2`,
      '--new-base',
      `${places.image}:v1`,
      ...dry(),
    ],
    () => [`${places.image}:v1`, '--new-base', `${places.image}:v2`, ...dry()],
    () => [`${places.image}:v1`, '--old-base', `${places.image}:odd`, '--new-base', nasty, ...dry()],
    () => [`${places.image}:odd`, '--old-base', nasty, '--new-base', `${places.image}:odd`, ...dry()],
  ],
  build: [
    () => [`${places.image}:v1`, '--layer', `${places.trace}:/a/`, ...to()],
    () => ['--layer', `${places.trace}:/${nastyName}`, ...to()],
    () => ['--layer', `${places.trace}:/a`, '--platform', nasty, ...dry()],
  ],
  prune: [
    () => [`${places.image}:v1`, '--shadowed', '--rule', 'cache/**', ...to()],
    () => [`${places.image}:v1`, '--shadowed', '--rule', 'cache/**', ...dry(), '--format', 'json'],
    () => [`${places.image}:v1`, '--rule', nasty, '--rule', `!${nasty}`, '--keep', 'app/*', ...dry()],
    () => [`${places.image}:v1`, '--preset', 'setuid', ...to()],
    () => [
      `${places.image}:v1`,
      '--preset',
      'docs,logs,apt-lists',
      '--dedupe-hardlink',
      '--order',
      'similar',
      '--layers',
      '1..2',
      ...to(),
    ],
    () => [`${places.image}:v1`, ...tracing(), ...dry()],
    () => [`${places.image}:v1`, ...tracing(), '--force', ...to()],
    () => [
      `${places.image}:v1`,
      ...tracing(),
      '--force',
      '--granularity',
      'file',
      ...dry(),
      '--format',
      'json',
    ],
    () => [`${places.image}:v1`, '--trace', places.lines, '--force', '--granularity', 'directory', ...dry()],
    () => [
      `${places.image}:v1`,
      '--trace',
      places.trace,
      '--keep-command',
      nasty.replaceAll(/['"`]/g, ''),
      ...dry(),
    ],
    () => [`${places.image}:v1`, '--rule', 'opt/**', '--layers', '2', ...to()],
    () => [`${places.image}:v1`, '--rule', 'app/**', '--debug-tag', 'debug', ...to()],
  ],
  recompress: [
    () => [`${places.image}:v1`, '--compression', 'zstd', ...to()],
    () => [`${places.image}:odd`, '--compression', 'gzip', '--level', '1', ...to()],
    () => [`${places.image}:index`, '--tune', 'fast', ...dry(), '--format', 'json'],
  ],
  slim: [() => [`${places.image}:v1`, ...to()], () => [`${places.image}:index`, ...dry()]],
  restore: [
    () => [places.pruned, '--original', `${places.image}:v1`, ...to()],
    () => [places.pruned, ...dry()],
    () => [places.pruned, '--original', `${places.image}:v2`, ...dry()],
  ],
  copy: [
    () => [`${places.image}:v1`, ...to()],
    () => [`${places.image}:v1`, `docker-archive:${join(out, 'a.tar')}:a:v1`, ...reports()],
    () => [`${places.image}:v1`, '--platform', `linux/${nasty.replaceAll(/[,/]/g, ' ')}`, ...to()],
    () => [`${places.image}:index`, '--platform', 'linux/arm64', ...to()],
    () => [
      `${places.image}:v1`,
      '--annotation',
      `${nasty}=${nasty}`,
      '--label',
      `${nasty}=${nasty}`,
      ...to(),
    ],
    () => [`${places.image}:v1`, `oci:${join(out, nastyName)}:${nasty}`],
    () => [nasty, ...to()],
    () => [`${places.image}:v1`, `--${nasty}`],
    () => [`${places.image}:v1`, '--report', join(out, nastyName)],
  ],
  analyze: [
    () => [`${places.image}:v1`, ...analysisReports()],
    () => [`${places.image}:v1`, '--format', 'json'],
    () => [`${places.image}:v1`, '--format', 'markdown', '--top', '1', '-o', join(out, 'a.md')],
    () => [`${places.image}:v1`, '--format', 'csv', '--all-layers'],
    () => [`${places.image}:v1`, '--format', 'ncdu', '--all-layers', '-o', join(out, 'ncdu.json')],
    () => [`${places.image}:v1`, '--format', 'paths', '--all-layers'],
    () => [`${places.image}:v1`, '--format', 'dive-json'],
    () => [`${places.image}:odd`, '--quick'],
    () => [`${places.image}:broken`],
    () => [`${places.image}:climbs`],
    () => [`${places.image}:${nasty}`, '--report', join(out, nasty)],
  ],
  check: [
    () => [`${places.image}:v1`, ...strict()],
    ...['json', 'sarif', 'junit', 'gitlab'].map((format) => () => [
      `${places.image}:v1`,
      ...strict(),
      '--format',
      format,
    ]),
    () => [`${places.image}:v1`, ...strict(), '--format', 'markdown', '-o', join(out, 'check.md')],
    () => [`${places.image}:odd`, ...strict(), '-o', join(out, nastyName)],
    () => [`${places.image}:v1`, '--config', places.trace],
    () => [`${places.image}:v1`, '--config', join(folder, nasty)],
    () => [`${places.image}:v1`, '--allow-base', nasty],
    () => [`${places.image}:v1`, '--forbid-package', `<${nasty}`],
  ],
  sbom: [
    () => [`${places.image}:v1`],
    () => [`${places.image}:v1`, '--format', 'spdx', '--files', '-o', join(out, 'bill.json')],
    () => [`${places.image}:climbs`],
  ],
  explore: [() => [`${places.image}:v1`], () => [`${places.image}:${nasty}`]],
  verify: [
    () => [`${places.image}:v1`, `${places.image}:v2`],
    () => [`${places.image}:v1`, `${places.image}:v2`, '--format', 'json'],
    () => [`${places.image}:v1`, places.pruned],
    () => [`${places.image}:v1`, places.pruned, '--removed-by', places.report],
    () => [`${places.image}:v1`, `${places.image}:below`],
    () => [`${places.image}:v1`, `${places.image}:v1`],
  ],
  diff: [
    () => [`${places.image}:v1`, `${places.image}:v2`, '--layers', '--report', join(out, 'diff.json')],
    () => [`${places.image}:v1`, `${places.image}:below`, '--format', 'json'],
    () => [`${places.image}:v1`, `${places.image}:index`, '-o', join(out, 'diff.md'), '--format', 'markdown'],
    () => [`${places.image}:v1`, `${places.image}:v2`, '--path', nasty, '--ignore', nasty],
    () => [`${places.image}:v1`, `${places.image}:v2`, '--path', nasty],
  ],
  history: [
    () => [`${places.image}:v1`],
    () => [`${places.image}:v1`, '--no-trunc', '--no-human'],
    () => [`${places.image}:v1`, '--format', 'json', '-o', join(out, 'history.json')],
    () => [`${places.image}:v1`, '--format', '{{.CreatedBy}} {{json .Comment}}', '--no-trunc'],
    () => [`${places.image}:v1`, '--format', `{{${nasty}}}`],
    () => [`${places.image}:index`],
    () => [`${places.image}:broken`],
    () => [`${places.image}:${nasty}`],
  ],
  inspect: [
    () => [`${places.image}:v1`],
    () => [`${places.image}:index`, '-o', join(out, 'inspect.json')],
    () => [`${places.image}:odd`],
    () => [`${places.image}:broken`],
    () => [`${places.image}:v1`, '--referrers'],
    () => [`${places.image}:v1`, '--format', '{{.Labels}} {{.Env}} {{.Config}} {{json .Manifest}} {{.Os}}'],
    () => [`${places.image}:v1`, '--format', `{{.${nasty}}}`],
    () => [`${places.image}:index`, '--config'],
    () => [`${places.image}:none`, '--raw'],
  ],
  ls: [
    () => [`${places.image}:v1`, '-lR'],
    () => [`${places.image}:v1`, '-R'],
    () => [`${places.image}:v1`, '-alR'],
    () => [`${places.image}:v1`, '--layer', '2', '-R'],
    () => [`${places.image}:v1`, '-R', '--format', 'json', '-o', join(out, 'files.json')],
    () => [`${places.image}:v1`, nasty],
    () => [`${places.image}:v1`, `app/${nastyName}`, '-l'],
    () => [`${places.image}:v1`, `opt/twin-${nastyName}`],
    () => [`${places.image}:below`],
    () => [`${places.image}:climbs`, '--layer', '1'],
  ],
  cat: [
    () => [`${places.image}:v1`, 'bin/sh'],
    () => [`${places.image}:v1`, nasty],
    () => [`${places.image}:v1`, `app/${nastyName}`, '--layer', '2'],
    () => [`${places.image}:v1`, `app/lost-${nastyName}`],
    () => [`${places.image}:v1`, 'app'],
    () => [`${places.image}:lying`, 'bin/sh', '--no-verify'],
    () => [`${places.image}:lost`, nastyName],
    () => [`${places.image}:climbs`, 'x'],
  ],
  extract: [
    () => [`${places.image}:v1`, '/', join(out, nastyName, 'x')],
    () => [`${places.image}:v1`, `app/${nastyName}`, join(out, 'x')],
    () => [`${places.image}:v1`, nasty, join(out, 'x')],
    () => [`${places.image}:v1`, '/', out, '--layer', '2'],
    () => [`${places.image}:v1`, '/', places.trace],
    () => [`${places.image}:lying`, '/', join(out, 'x')],
    () => [`${places.image}:below`, '/', join(out, 'x')],
    () => [`${places.image}:pipes`, '/', join(out, 'x')],
    () => [`${places.image}:twice`, nastyName, join(out, 'x'), '--strip'],
  ],
  export: [
    () => [`${places.image}:v1`, join(out, 'rootfs.tar')],
    () => [`${places.image}:below`, join(out, 'rootfs.tar')],
    () => [`${places.image}:v1`, join(out, nasty, 'rootfs.tar')],
  ],
  trace: [
    () => ['show', places.trace],
    () => ['show', places.trace, '--format', 'json'],
    () => ['show', places.trace, '--image', `${places.image}:v1`],
    () => ['show', places.trace, '--image', `${places.image}:v1`, '--format', 'json'],
    () => ['show', places.lines],
    () => ['show', places.lines, '--format', 'json'],
    () => ['show', join(folder, nasty)],
    () => ['merge', places.trace, places.lines],
    () => ['merge', places.trace, places.lines, '-o', join(out, 'merged.trace')],
    () => ['merge', places.trace, '-o', join(out, nasty, 'merged.trace')],
    () => ['seccomp', places.trace],
    () => ['seccomp', places.trace, '-o', join(out, 'seccomp.json')],
    () => ['apparmor', places.trace],
    () => ['apparmor', places.trace, '--profile-name', nasty],
    () => ['apparmor', places.trace, '--image', `${places.image}:v1`, '-o', join(out, 'app.apparmor')],
    () => ['record', '-o', join(out, nasty, 't'), '--', nasty],
    () => ['record', '--image', `${places.image}:v1`, '--platform', 'linux/arm64', '--', 'x'],
    () => [nasty],
  ],
  relayer: [
    () => [`${places.image}:v1`, ...to(), '--max-layers', '3'],
    () => [`${places.image}:v1`, ...to(), '--previous', nasty],
    () => [`${places.image}:v1`, ...to(), '--history', nasty],
    () => [`${places.image}:v1`, ...to(), '--group', `${nasty}=**`],
  ],
  fleet: [
    () => [nasty],
    () => ['plan', nasty],
    () => ['plan', 'oci:x'],
    () => ['plan', `localhost:1/${nasty}`],
    () => ['plan', '--from', places.trace],
    () => ['plan', '--from', join(folder, nasty)],
    () => ['plan', 'localhost:1', '--since', nasty, '--tags', nasty],
  ],
  registry: [() => [nasty], () => ['serve', '--port', '99999'], () => ['serve', '-d', places.trace]],
  presets: [() => [nasty]],
  completion: [() => ['bash'], () => [nasty]],
};

/** Sequences of our own: the cursor, the lines of a frame, colours. */
// oxlint-disable-next-line no-control-regex
const own = /\u001b\[(?:\?25[hl]|\d*A|K|J|(?:\d+(?:;\d+)*)?m)/g;

function expectClean({ stdout, stderr }: CliResult, where: string): void {
  expect(`${stdout}${stderr}`, where).not.toMatch(/a bug in ocislim/);
  expectHarmless(stdout.replace(own, ''), `${where}: stdout`);
  expectHarmless(stderr.replace(own, ''), `${where}: stderr`);
  for (const entry of readdirSync(out, { withFileTypes: true })) {
    if (!entry.isFile() || entry.name.endsWith('.tar')) continue;
    const content = readFileSync(join(out, entry.name), 'utf8');
    if (entry.name.endsWith('.md')) expectNoMarkup(content, `${where}: ${entry.name}`);
    else expectHarmless(content, `${where}: ${entry.name}`);
    if (entry.name.endsWith('.json')) JSON.parse(content);
  }
}

test('N14: every command is among those that are run', () => {
  expect(new Set(Object.keys(runs))).toEqual(new Set(commands.map((each) => each.name.split(' ')[0])));
});

const cases = Object.entries(runs).flatMap(([command, list]) =>
  list.map((args, i) => [command, i + 1, args] as const),
);

describe.each(['plain', 'json', 'tty'])(
  'N14: no word of an image drives a terminal or a CI service: --progress %s',
  (progress) => {
    test.each(cases)('in %s, run %i', async (command, _, args) => {
      const given = args();
      const takesProgress = command !== 'completion' && command !== 'presets';
      // The words after -- are another program's.
      const at = given.includes('--') ? given.indexOf('--') : given.length;
      const more = takesProgress ? ['-v', '--progress', progress] : [];
      const result = await callCli([command, ...given.slice(0, at), ...more, ...given.slice(at)], {
        FORCE_COLOR: '1',
      });
      expectClean(result, [command, ...given.slice(0, 3)].join(' ').slice(0, 200));
    });
  },
);

test('N14: and they are told of: the marks are in summaries, reports and lists', async () => {
  const { image } = places;
  const pruned = await callCli(['prune', `${image}:v1`, '--rule', 'cache/**', '-v', ...to()]);
  expect(pruned.status, pruned.stderr).toBe(0);
  expect(pruned.stderr).toContain('mark');
  expect(readFileSync(join(out, 'r.md'), 'utf8')).toContain('mark');
  // Machines read the exact text.
  const report = JSON.parse(readFileSync(join(out, 'r.json'), 'utf8')) as {
    platforms: {
      slimming: { removed: { path: string; pathBase64?: string }[] };
      source: { layers: { createdBy: string }[] };
    }[];
  };
  const [platform] = report.platforms;
  const removed = platform?.slimming.removed ?? [];
  expect(removed.map(({ path }) => path)).toContain(`cache/${nastyName}`);
  expect(
    removed.map(({ pathBase64 = '' }) => Buffer.from(pathBase64, 'base64').toString('latin1')),
  ).toContain(`cache/${broken}`);
  const explained = await callCli(['prune', `${image}:v1`, '--force', ...tracing(), '--dry-run']);
  expect(explained.stdout).toMatch(/mark.*: /);
  const shown = await callCli(['trace', 'show', places.trace, '--image', `${image}:v1`, '--format', 'json']);
  const { command, packages } = JSON.parse(shown.stdout) as {
    command: string[];
    packages: { name: string }[];
  };
  expect(command[1]).toContain('mark');
  expect(packages.some(({ name: each }) => each.includes('mark'))).toBe(true);
  const merged = await callCli(['trace', 'merge', places.trace]);
  const paths = merged.stdout
    .trim()
    .split('\n')
    .map((each) => (JSON.parse(each) as { path?: string }).path);
  expect(paths).toContain(`app/${nastyName}`);
});

test('N14: nor does the name of the folder that a registry serves', async () => {
  const result = await runCli(['registry', 'serve', '-p', '0', '-d', join(out, nastyName)], {
    interrupt: { when: 'Ctrl-C', signal: 'SIGINT' },
  });
  expect(result.stderr).toContain('serving');
  expectHarmless(result.stderr, 'stderr');
  expect(existsSync(out)).toBe(true);
});
