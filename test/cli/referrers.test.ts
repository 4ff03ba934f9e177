import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Digest } from '../../src/oci/digest.ts';
import { type Index, parseManifest } from '../../src/oci/manifest.ts';
import { reportSchema } from '../../src/report/schema.ts';
import { indexOf } from '../support/artifacts.ts';
import {
  amd,
  artifacts,
  arm,
  attestation,
  attested,
  bundleType,
  cosign,
  index,
  rowSignature,
  rowTag,
  sbom,
  signature,
  signPredicate,
  statement,
  tagOf,
} from '../support/attested.ts';
import { callCli } from '../support/cli.ts';
import { type BuiltTree, writeLayout } from '../support/image-builder.ts';
import { startRegistry } from '../support/registry/opened.ts';
import { never } from '../support/registry/setup.ts';
import { listFiles, newFolder, source } from '../support/store/local.ts';
import { serve } from '../support/store/serving.ts';

async function run(...args: string[]): Promise<string> {
  const { status, stderr } = await callCli(args);
  expect({ status, stderr }).toMatchObject({ status: 0 });
  return stderr;
}

/** Makes a layout with the attested image, and returns its folder. */
async function world(stale = false): Promise<string> {
  const folder = await newFolder();
  await writeLayout(join(folder, 'in'), attested(stale));
  return folder;
}

/** Returns all that refers to some manifests, and to what refers to them, with the tags by which it is found. */
async function about(place: string, ...subjects: readonly BuiltTree[]): Promise<readonly string[]> {
  const opened = await source(place);
  const found = new Set<string>();
  const queue = subjects.map(({ descriptor }) => descriptor.digest);
  for (const digest of queue) {
    for (const each of await opened.referrers(digest as Digest, never)) {
      const line = [each.digest, String(each.json['artifactType']), ...(each.tags ?? [])].join(' ');
      if (!found.has(line)) queue.push(each.digest);
      found.add(line);
    }
  }
  return [...found].toSorted();
}

const whole = [
  { tree: signature, type: bundleType },
  { tree: sbom, type: 'application/spdx+json' },
  { tree: statement, type: 'application/vnd.example.approval' },
]
  .map(({ tree, type }) => `${tree.descriptor.digest} ${type}`)
  .concat(`${cosign.descriptor.digest} X ${tagOf(index)}.sig`)
  .toSorted();

/** Expects a place to have all that speaks of the image, byte for byte. */
async function expectWhole(place: string): Promise<void> {
  const found = await about(place, index, amd);
  expect(found.map((line) => line.replace(/ (?:undefined|\S+config\S+) (sha256-\S+)$/, ' X $1'))).toEqual(
    whole,
  );
  const opened = await source(place);
  for (const { descriptor, blobs } of artifacts) {
    const read = await opened.manifest({ ...descriptor, annotations: {}, json: {} } as never, never);
    expect(new Uint8Array(read.bytes)).toEqual(blobs.get(descriptor.digest));
  }
}

const stays = (lines: string): number =>
  lines.split('\n').filter((line) => line.endsWith('stays with the source')).length;

describe('--referrers copy', () => {
  test('takes all along through registries with and without the API, layouts and archives', async () => {
    const folder = await world();
    const { host } = await serve();
    const { host: old } = await startRegistry({ referrers: false });
    const way = [
      `oci:${folder}/in:app`,
      `${host}/app:1`,
      `oci-archive:${folder}/x.tar:app`,
      `${old}/app:1`,
      `${old}/other:1`,
      `oci:${folder}/out:app`,
    ];
    for (const [i, to] of way.slice(1).entries()) {
      const stderr = await run('copy', way[i] as string, to, '--referrers', 'copy', '--strict');
      expect(stderr).not.toContain('REFERRERS_LEFT');
      await expectWhole(to);
      expect((await (await source(to)).root(never)).descriptor.digest).toBe(index.descriptor.digest);
    }
    // A second copy changes nothing.
    const before = await listFiles(join(folder, 'out'));
    await run('copy', `${old}/app:1`, `oci:${folder}/out:app`, '--referrers', 'copy');
    expect(await listFiles(join(folder, 'out'))).toEqual(before);
  });

  test.each(['registry', 'layout', 'archive'])(
    'of an image that changes takes the old image along, about which they are: to a %s',
    async (kind) => {
      const folder = await world();
      const { host } = await serve();
      const to = {
        registry: `${host}/app:new`,
        layout: `oci:${folder}/out:new`,
        archive: `oci-archive:${folder}/x.tar:new`,
      }[kind] as string;
      const report = join(folder, 'report.json');
      await run(
        'recompress',
        `oci:${folder}/in:app`,
        to,
        '--compression',
        'zstd',
        '--referrers',
        'copy',
        '--report',
        report,
      );
      await expectWhole(to);
      const opened = await source(to);
      const { descriptor } = await opened.root(never);
      expect(descriptor.digest).not.toBe(index.descriptor.digest);
      expect(await opened.referrers(descriptor.digest, never)).toEqual([]);
      const base = kind === 'registry' ? `${host}/app` : to.replace(/:new$/, '');
      const again = await source(`${base}@${index.descriptor.digest}`);
      expect((await again.root(never)).descriptor.digest).toBe(index.descriptor.digest);
      // The old image can be copied on, whole.
      await run(
        'copy',
        `${base}@${index.descriptor.digest}`,
        `oci:${folder}/again:old`,
        '--referrers',
        'copy',
      );
      await expectWhole(`oci:${folder}/again:old`);
      const { referrers = [] } = reportSchema.parse(JSON.parse(await readFile(report, 'utf8')));
      expect(referrers.map(({ fate }) => fate)).toEqual(['copied', 'copied', 'copied', 'copied', 'dropped']);
    },
  );

  test('keeps the old image in an archive that gets another one, and in a registry over the layout', async () => {
    const folder = await world();
    await writeLayout(join(folder, 'other'), { app: arm });
    for (const place of [`oci-archive:${folder}/x.tar`, `oci:${folder}/out`]) {
      const pack = ['--compression', 'zstd', '--referrers', 'copy'];
      await run('recompress', `oci:${folder}/in:app`, `${place}:new`, ...pack);
      await run('copy', `oci:${folder}/other:app`, `${place}:other`);
      await expectWhole(`${place}:new`);
    }
    const { host } = await serve({ layoutDir: join(folder, 'out') });
    await expectWhole(`${host}/out@${index.descriptor.digest}`);
  });

  test('goes on after a check of the result', async () => {
    const folder = await world();
    const { host } = await serve();
    const args = ['recompress', `oci:${folder}/in:app`, `${host}/app:new`, '--compression', 'zstd'];
    await run(...args, '--referrers', 'copy', '--verify-with', 'true');
    await expectWhole(`${host}/app:new`);
  });

  test('of one platform leaves what is about the whole index, and says so', async () => {
    const folder = await world();
    const { host } = await serve();
    const args = [
      'copy',
      `oci:${folder}/in:app`,
      `${host}/app:1`,
      '--platform',
      'linux/amd64',
      '--referrers',
      'copy',
    ];
    const stderr = await run(...args);
    expect(stderr).toContain('artifacts about the whole index');
    expect(stderr).toContain(
      `signature ${signPredicate} ${signature.descriptor.digest}: stays with the source, of which only a part is taken`,
    );
    expect(await about(`${host}/app:1`, index)).toEqual([]);
    expect(await about(`${host}/app:1`, amd)).toHaveLength(2);
  });

  test('takes signatures of the attestations in the index along', async () => {
    const folder = await world();
    const rows = { ...attested(), [rowTag]: indexOf([rowSignature]) };
    await writeLayout(join(folder, 'signed'), rows);
    const { host } = await serve();
    await run('copy', `oci:${folder}/signed:app`, `${host}/app:1`, '--referrers', 'copy');
    expect((await about(`${host}/app:1`, attestation)).join()).toContain(rowSignature.descriptor.digest);
    // The attestation that they are about goes with them, where its row is left out.
    const words = ['--compression', 'zstd', '--referrers', 'copy'];
    await run('recompress', `oci:${folder}/signed:app`, `${host}/other:1`, ...words);
    expect((await about(`${host}/other:1`, attestation)).join()).toContain(rowSignature.descriptor.digest);
    const opened = await source(`${host}/other:1`);
    const { descriptor } = attestation;
    await opened.manifest({ ...descriptor, annotations: {}, json: {} } as never, never);
  });

  test('leaves signatures under a tag of the destination that the source lacks', async () => {
    const folder = await world();
    const { host } = await serve();
    await writeLayout(join(folder, 'theirs'), { app: index, [`${tagOf(index)}.sig`]: sbom });
    await run('copy', `oci:${folder}/theirs:app`, `${host}/app:1`, '--referrers', 'copy');
    const stderr = await run('copy', `oci:${folder}/in:app`, `${host}/app:1`, '--referrers', 'copy');
    expect(stderr).toMatch(
      /has signatures under sha256-\S+\.sig that the source does not have: these stay, and sha256:\S+ of the source was not written there/,
    );
  });

  test('is refused for a Docker archive, which holds nothing about an image', async () => {
    const folder = await world();
    const args = [
      'copy',
      `oci:${folder}/in:app`,
      `docker-archive:${folder}/x.tar:app:1`,
      '--platform',
      'linux/amd64',
      '--referrers',
      'copy',
    ];
    const { status, stderr } = await callCli(args);
    expect([status, stderr]).toEqual([1, expect.stringContaining('holds one image, and nothing about it')]);
    expect(await listFiles(folder)).not.toContain('x.tar');
  });

  test('of a list without types and annotations writes a right one (cosign#5098)', async () => {
    const folder = await world(true);
    const fake = await startRegistry({ referrers: false });
    await run('copy', `oci:${folder}/in:app`, `${fake.host}/app:1`, '--referrers', 'copy');
    const found = fake.repository('app').find(tagOf(index));
    const { manifests } = JSON.parse(String(found?.manifest.bytes)) as { manifests: readonly unknown[] };
    expect(manifests).toEqual([
      expect.objectContaining({
        artifactType: bundleType,
        annotations: expect.objectContaining({
          'dev.sigstore.bundle.predicateType': signPredicate,
        }) as unknown,
      }),
    ]);
  });

  test('takes nothing that a list names and that is about something else', async () => {
    const folder = await newFolder();
    const { host } = await serve();
    await writeLayout(join(folder, 'in'), { app: amd, [tagOf(amd)]: indexOf([signature, sbom]) });
    const fake = await startRegistry({ referrers: false });
    await run('copy', `oci:${folder}/in:app`, `${host}/app:1`, '--referrers', 'copy');
    expect(await about(`${host}/app:1`, amd)).toEqual([`${sbom.descriptor.digest} application/spdx+json`]);
    expect(fake.requests).toEqual([]);
  });

  test('ends at the limit of what may refer to an image', async () => {
    const folder = await world();
    const args = [
      'copy',
      `oci:${folder}/in:app`,
      `oci:${folder}/out:app`,
      '--referrers',
      'copy',
      '--limit',
      'referrers=2',
    ];
    const { status, stderr } = await callCli(args);
    expect([status, stderr]).toEqual([1, expect.stringContaining('too many referrers')]);
  });
});

describe('--referrers drop', () => {
  test.each([
    ['a layout', false],
    ['a registry', true],
  ])('lists each line by line before the image in %s is rewritten', async (_, isRegistry) => {
    const folder = await world();
    const { host } = await serve();
    if (isRegistry) await run('copy', `oci:${folder}/in:app`, `${host}/app:1`, '--referrers', 'copy');
    const from = isRegistry ? `${host}/app:1` : `oci:${folder}/in:app`;
    const report = join(folder, 'report.json');
    const stderr = await run(
      'recompress',
      from,
      `oci:${folder}/out:app`,
      '--compression',
      'zstd',
      '--report',
      report,
    );
    expect(stderr).toContain(
      `signature ${signPredicate} ${signature.descriptor.digest}: stays with the source`,
    );
    expect(stderr).toContain(
      `sbom application/spdx+json ${sbom.descriptor.digest} about linux/amd64: stays with the source`,
    );
    expect(stderr).toContain(`${cosign.descriptor.digest} (${tagOf(index)}.sig): stays with the source`);
    expect(stderr).toContain(
      `attestation https://spdx.dev/Document ${attestation.descriptor.digest} about linux/amd64: stays in the index if its image stays`,
    );
    expect(stays(stderr)).toBe(3);
    expect(await about(`oci:${folder}/out:app`, index, amd, arm)).toEqual([]);
    const { referrers = [] } = reportSchema.parse(JSON.parse(await readFile(report, 'utf8')));
    expect(
      new Set(referrers.map(({ kind, foundBy, fate, subject }) => [kind, foundBy, fate, subject].join(' '))),
    ).toEqual(
      new Set([
        `attestation row dropped ${amd.descriptor.digest}`,
        `sbom subject left ${amd.descriptor.digest}`,
        `signature subject left ${index.descriptor.digest}`,
        `signature tag left ${index.descriptor.digest}`,
      ]),
    );
  });

  test('lists what a copy leaves behind line by line, once, and in its report', async () => {
    const folder = await world();
    const { host } = await serve();
    const report = join(folder, 'copied.json');
    const [from, to] = [`oci:${folder}/in:app`, `${host}/app:1`];
    const stderr = await run('copy', from, to, '--report', report);
    expect(stderr).toContain(
      `signature ${signPredicate} ${signature.descriptor.digest}: stays with the source`,
    );
    expect(stderr).toContain(`${cosign.descriptor.digest} (${tagOf(index)}.sig): stays with the source`);
    const ofImage = `sbom application/spdx+json ${sbom.descriptor.digest} about linux/amd64: stays with the source`;
    expect(stderr).toContain(ofImage);
    expect(stays(stderr)).toBe(3);
    expect(stderr.match(/^warning: .*REFERRERS_LEFT/gm)).toEqual([
      expect.stringContaining('3 artifacts refer to the source'),
    ]);
    const { referrers = [] } = reportSchema.parse(JSON.parse(await readFile(report, 'utf8')));
    expect(referrers.map(({ kind, fate }) => `${kind} ${fate}`)).toEqual([
      'signature left',
      'signature left',
      'sbom left',
    ]);
    const other = await run('copy', from, `${host}/arm:1`, '--platform', 'linux/arm64');
    expect(other).not.toContain(sbom.descriptor.digest);
    // A platform that is taken alone is an image that has artifacts of its own.
    const alone = await run(
      'copy',
      from,
      `docker-archive:${folder}/a.tar:app:1`,
      '--platform',
      'linux/amd64',
    );
    expect(alone).toContain(
      `sbom application/spdx+json ${sbom.descriptor.digest} about linux/amd64: stays with the source`,
    );
  });

  test('keeps the attestation of a platform that stays as it is', async () => {
    const folder = await world();
    const report = join(folder, 'report.json');
    await run(
      'prune',
      `oci:${folder}/in:app`,
      `oci:${folder}/out:app`,
      '--rule',
      'nothing',
      '--report',
      report,
    );
    const { referrers = [] } = reportSchema.parse(JSON.parse(await readFile(report, 'utf8')));
    expect(referrers.find(({ foundBy }) => foundBy === 'row')?.fate).toBe('kept');
  });

  test('tells of them in a dry run', async () => {
    const folder = await world();
    const stderr = await run('recompress', `oci:${folder}/in:app`, '--compression', 'zstd', '--dry-run');
    expect(stays(stderr)).toBe(3);
  });

  test('tells what a list without types names, as a list with them does', async () => {
    const [stale, right] = [await world(true), await world()];
    const lines = async (folder: string) =>
      (await run('recompress', `oci:${folder}/in:app`, '--compression', 'zstd', '--dry-run'))
        .split('\n')
        .filter((line) => line.includes('stays with'));
    expect(await lines(stale)).toEqual(await lines(right));
  });
});

test('an image that attestations of its index are about names its original once it has changed, others do not', async () => {
  const folder = await world();
  await run('recompress', `oci:${folder}/in:app`, `oci:${folder}/out:app`, '--compression', 'zstd');
  const opened = await source(`oci:${folder}/out:app`);
  const { children } = parseManifest(
    (await opened.root(never)).bytes,
    index.descriptor.mediaType,
    'out',
  ) as Index;
  const origins = await Promise.all(
    children.map(async ({ descriptor }) => {
      const { annotations = {} } = JSON.parse(
        Buffer.from((await opened.manifest(descriptor, never)).bytes).toString(),
      ) as { annotations?: Record<string, string> };
      return annotations['io.ocislim.original.digest'];
    }),
  );
  expect(origins).toEqual([amd.descriptor.digest, undefined]);
});

describe('--referrers fail', () => {
  test('lists all and writes nothing, whether the image would change or go to another place', async () => {
    const folder = await world();
    for (const command of [['recompress', '--compression', 'zstd'], ['copy']]) {
      const [name = '', ...options] = command;
      const { status, stdout, stderr } = await callCli([
        name,
        `oci:${folder}/in:app`,
        `oci:${folder}/out:app`,
        ...options,
        '--referrers',
        'fail',
      ]);
      expect([status, stdout]).toEqual([3, '']);
      // Each once: nothing is said of what would become of them.
      for (const { descriptor } of artifacts)
        expect(
          stderr.split(`${descriptor.digest} `).length + stderr.split(`${descriptor.digest}\n`).length,
        ).toBe(3);
      expect((await listFiles(folder)).filter((file) => file.startsWith('out'))).toEqual([]);
    }
  });

  test('lets an image without any pass, and a copy beside what speaks of it', async () => {
    const folder = await world();
    await writeLayout(join(folder, 'bare'), { app: amd });
    await run(
      'recompress',
      `oci:${folder}/bare:app`,
      `oci:${folder}/out:app`,
      '--compression',
      'zstd',
      '--referrers',
      'fail',
    );
    await run('copy', `oci:${folder}/in:app`, `oci:${folder}/in:again`, '--referrers', 'fail');
  });
});

describe('the attestation of a single platform, which is written without the index', () => {
  const from = (folder: string) => ['copy', `oci:${folder}/in:app`];
  const one = ['--platform', 'linux/amd64'];
  const warning = `warning: the attestation ${attestation.descriptor.digest} was left out: one image was chosen`;

  test.each(['copy', 'slim'])(
    'is left out by %s with a warning, and its fate is reported',
    async (command) => {
      const folder = await world();
      const report = join(folder, 'r.json');
      const words = [...one, '--referrers', 'copy', '--report', report];
      const stderr = await run(command, `oci:${folder}/in:app`, `oci:${folder}/out:app`, ...words);
      expect(stderr).toContain(warning);
      expect(stderr).toContain('is left out: its image is written without an index');
      const { referrers = [] } = reportSchema.parse(JSON.parse(await readFile(report, 'utf8')));
      expect(referrers.find(({ foundBy }) => foundBy === 'row')?.fate).toBe('dropped');
      expect(await run(...from(folder), `oci:${folder}/x:app`, ...one)).toContain(warning);
    },
  );

  test('is refused with --referrers fail', async () => {
    const folder = await newFolder();
    await writeLayout(join(folder, 'in'), { app: index });
    const line = [...from(folder), `oci:${folder}/out:app`, ...one, '--referrers', 'fail'];
    const { status, stderr } = await callCli(line);
    expect(status).toBe(3);
    expect(stderr).toContain(attestation.descriptor.digest);
  });

  test('stays in an index of several platforms', async () => {
    const folder = await world();
    const words = [...one, '--platform', 'linux/arm64'];
    expect(await run(...from(folder), `oci:${folder}/out:app`, ...words)).not.toContain('left out');
  });
});
