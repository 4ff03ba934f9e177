import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bin, rewrite } from '../support/e2e/cli.ts';
import { removeFolder, run, workFolder } from '../support/e2e/programs.ts';
import { sample } from '../support/extent.ts';
import { buildImage, writeLayout } from '../support/image-builder.ts';
import { specOf } from '../support/model/shorthand.ts';
import { writeTar } from '../support/model/tar-bytes.ts';
import { hold } from '../support/registry/held-image.ts';
import { FakeRegistry } from '../support/registry/fake-registry.ts';
import { noise } from '../support/registry/setup.ts';

// Small file systems in memory, in a mount namespace of their own. Nothing stays mounted, however the test ends.

const image = buildImage({
  layers: [1, 2, 3].map((seed) =>
    writeTar(
      [`dir${seed}/`, { name: `dir${seed}/file`, body: noise(3_000_000, seed) }, 'same=1'].map(specOf),
    ),
  ),
});
const old = buildImage({ layers: [writeTar([specOf('old=1')])] });

let work: string;
let source: string;
let registry: FakeRegistry;
beforeAll(async () => {
  work = workFolder('full');
  await writeLayout(join(work, 'in'), { app: image, old });
  source = `oci:${join(work, 'in')}`;
  registry = await FakeRegistry.start();
  hold(registry.repository('app'), image, '1');
});
afterAll(async () => {
  await registry?.close();
  removeFolder(work);
});

interface Step {
  /** The size of the disk from this step on, in bytes. */
  readonly size: string;
  readonly args: readonly string[];
}

interface Done {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
  /** The files on the disk after the step. */
  readonly files: readonly string[];
  readonly index: string;
}

const quote = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

/** Runs commands one after the other, with a small disk at `place`. */
async function runOnDisk(
  place: string,
  steps: readonly Step[],
  env: Readonly<Record<string, string>> = {},
): Promise<Done[]> {
  mkdirSync(place);
  const [disk, log] = [quote(place), `${place}.log`];
  const lines = steps.map(({ size, args }, i) =>
    [
      `mount -o remount,size=${size} ${disk}`,
      `${[process.execPath, bin, ...args, '--progress', 'none'].map(quote).join(' ')} >${log}.${i}.stdout 2>${log}.${i}.stderr`,
      `echo $? >${log}.${i}.status`,
      `(cd ${disk} && find . -type f | sort) >${log}.${i}.files`,
      `cat ${disk}/index.json >${log}.${i}.index 2>/dev/null`,
    ].join('\n'),
  );
  const script = [
    'mount --make-rprivate /',
    `mount -t tmpfs -o size=1m,mode=700 none ${disk}`,
    ...lines,
    'exit 0',
  ].join('\n');
  const home = { HOME: '/nonexistent', TMPDIR: work, ...env };
  await run('unshare', ['-m', '/bin/sh', '-c', script], { env: home });
  return steps.map((_, i) => {
    const [stdout, stderr, status, files, index] = ['stdout', 'stderr', 'status', 'files', 'index'].map(
      (name) => readFileSync(`${log}.${i}.${name}`, 'utf8'),
    ) as [string, string, string, string, string];
    return {
      status: Number(status),
      stdout,
      stderr,
      files: files.split('\n').filter((name) => name !== ''),
      index,
    };
  });
}

const digestIn = ({ stdout }: Done): string => stdout.trim().split('@')[1] ?? '';

const rewriting: readonly (readonly [string, readonly string[]])[] = [
  ['squash', ['--all']],
  ['recompress', ['--compression', 'zstd']],
  ['prune', ['--rule', 'same']],
];

describe.each(sample(rewriting, 3))('T19: the command %s', (command, options) => {
  it('into a layout on a full disk leaves what was there; with more room it works', async () => {
    const place = join(work, `layout-${command}`);
    const args = [command, `${source}:app`, `oci:${place}:app`, ...options];
    const [before, full, after] = (await runOnDisk(place, [
      { size: '1m', args: ['copy', `${source}:old`, `oci:${place}:app`] },
      { size: '5m', args },
      { size: '50m', args },
    ])) as [Done, Done, Done];
    expect(before.status).toBe(0);
    expect({ status: full.status, stdout: full.stdout }).toEqual({ status: 1, stdout: '' });
    expect(full.stderr).toMatch(
      /cannot write \S*\/layout-\S+: no space left on device \[IO\]\n {2}The disk is full: make room there/,
    );
    expect({ files: full.files, index: full.index }).toEqual({ files: before.files, index: before.index });
    expect(after.status, after.stderr).toBe(0);
    expect(after.files.filter((name) => name.includes('.partial-') || name.includes('.lock'))).toEqual([]);
    expect(digestIn(after)).toBe(
      await rewrite([command, `${source}:app`, `oci:${join(work, 'free')}:${command}`, ...options]),
    );
  });

  it.each(['oci-archive', 'docker-archive'])(
    'into an %s on a full disk leaves the old file; with more room it works',
    async (kind) => {
      const place = join(work, `${kind}-${command}`);
      const target = `${kind}:${place}/a.tar:${kind === 'oci-archive' ? 'app' : 'app:1'}`;
      const args = [command, `${source}:app`, target, ...options];
      const [before, full, after] = (await runOnDisk(place, [
        { size: '1m', args: ['copy', `${source}:old`, target] },
        { size: '5m', args },
        { size: '50m', args },
      ])) as [Done, Done, Done];
      expect(before.files).toEqual(['./a.tar']);
      expect({ status: full.status, stdout: full.stdout }).toEqual({ status: 1, stdout: '' });
      expect(full.stderr).toMatch(
        /cannot write \S*a\.tar\S*: no space left on device \[IO\]\n {2}The disk is full/,
      );
      expect(full.files).toEqual(['./a.tar']);
      expect(after.status, after.stderr).toBe(0);
      expect(after.files).toEqual(['./a.tar']);
    },
  );

  it('with a full TMPDIR does without scratch', async () => {
    const place = join(work, `tmp-${command}`);
    const args = [
      command,
      `${registry.host}/app:1`,
      `oci:${join(work, 'scratchless')}:${command}`,
      ...options,
    ];
    const [done] = (await runOnDisk(place, [{ size: '2m', args }], { TMPDIR: place })) as [Done];
    expect(done.status, done.stderr).toBe(0);
    expect(done.files).toEqual([]);
    expect(digestIn(done)).toBe(
      await rewrite([command, `${registry.host}/app:1`, `oci:${join(work, 'free')}:${command}`, ...options]),
    );
  });

  it('with a full cache does without the cache, and says so', async () => {
    const place = join(work, `cache-${command}`);
    const args = [
      command,
      `${registry.host}/app:1`,
      `oci:${join(work, 'cacheless')}:${command}`,
      ...options,
      '--cache-dir',
      `${place}/cache`,
    ];
    const [full, after] = (await runOnDisk(place, [
      { size: '2m', args },
      { size: '50m', args },
    ])) as [Done, Done];
    expect(full.status, full.stderr).toBe(0);
    expect(full.stderr).toMatch(
      /cannot write into the cache \S+: no space left on device; the work goes on without it/,
    );
    expect(full.files.filter((name) => name.includes('partial'))).toEqual([]);
    expect(after.status).toBe(0);
    expect(after.stderr).not.toContain('cannot write');
    expect(digestIn(after)).toBe(digestIn(full));
  });
});

it('T19: putting files in order does with the room there is, or says what it takes', async () => {
  const place = join(work, 'order');
  const args = (target: string) => [
    'squash',
    `${source}:app`,
    `oci:${join(work, target)}:app`,
    '--all',
    '--order',
    'similar',
  ];
  const [small, large] = (await runOnDisk(
    place,
    [
      { size: '2m', args: args('ordered-small') },
      { size: '50m', args: args('ordered-large') },
    ],
    { TMPDIR: place },
  )) as [Done, Done];
  expect(small.status, small.stderr).toBe(0);
  expect(large.status).toBe(0);
  expect(digestIn(small)).toBe(digestIn(large));
  expect([...small.files, ...large.files]).toEqual([]);
});

it('T19: --verify-with needs room in TMPDIR, and publishes nothing without', async () => {
  const place = join(work, 'verify');
  const target = join(work, 'unverified');
  const args = ['squash', `${source}:app`, `oci:${target}:app`, '--all', '--verify-with', 'true'];
  const [full, after] = (await runOnDisk(
    place,
    [
      { size: '2m', args },
      { size: '50m', args },
    ],
    { TMPDIR: place },
  )) as [Done, Done];
  expect({ status: full.status, stdout: full.stdout, files: full.files }).toEqual({
    status: 1,
    stdout: '',
    files: [],
  });
  expect(full.stderr).toMatch(/cannot write \S*\/verify\/ocislim-verify\S+: no space left on device/);
  expect(full.stderr).toContain('needs room in TMPDIR');
  expect({ status: after.status, files: after.files }).toEqual({ status: 0, files: [] });
});

it('T19: an export onto a full disk leaves the old file', async () => {
  const place = join(work, 'export');
  const small = ['export', `${source}:old`, `${place}/rootfs.tar`];
  const large = ['export', `${source}:app`, `${place}/rootfs.tar`];
  const [before, full, after] = (await runOnDisk(place, [
    { size: '1m', args: small },
    { size: '2m', args: large },
    { size: '50m', args: large },
  ])) as [Done, Done, Done];
  expect([before.status, full.status, after.status]).toEqual([0, 1, 0]);
  expect(full.stderr).toMatch(
    /cannot write \S*rootfs\.tar: no space left on device \[IO\]\n {2}The disk is full/,
  );
  for (const { files } of [before, full, after]) expect(files).toEqual(['./rootfs.tar']);
});

it('T19: a report that does not fit is an error that says so, after the image is where it was to go', async () => {
  const place = join(work, 'report');
  writeFileSync(join(work, 'filler'), noise(1_100_000));
  const target = join(work, 'reported');
  const args = ['squash', `${source}:app`, `oci:${target}:app`, '--all', '--report', `${place}/report.json`];
  const [before, full] = (await runOnDisk(place, [
    {
      size: '2m',
      args: ['copy', `${source}:app`, `oci:${join(work, 'aside')}:app`, '--digestfile', `${place}/digest`],
    },
    { size: '4k', args },
  ])) as [Done, Done];
  expect(before.status).toBe(0);
  expect(full.status).toBe(5);
  expect(full.stderr).toMatch(/cannot write "\S*report\.json": .*no space left on device/);
  expect(readFileSync(join(target, 'index.json'), 'utf8')).toContain('"app"');
});
