/**
 * A real nginx on other bases, judged by others: umoci unpacks the result, the loader of the image itself says whether the program starts, and crane
 * rebases the same image where everything is tested. The new bases are the old one with a library that was changed.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bin, ocislim, rewrite } from '../support/e2e/cli.ts';
import { DockerRegistry } from '../support/e2e/docker-registry.ts';
import { unpack } from '../support/e2e/judge.ts';
import { removeFolder, run, runToEnd, workFolder } from '../support/e2e/programs.ts';
import { differences, listRootfs } from '../support/e2e/rootfs-listing.ts';
import { isWhole } from '../support/extent.ts';
import { readImage } from '../support/image-reader.ts';

const images = process.env['OCISLIM_TEST_IMAGES'] as string;
const [app, oldBase] = [`oci:${images}/nginx:v1`, `oci:${images}/nginx-base:v1`];
const library = `/usr/lib/${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu/libcrypt.so.1`;

let work: string;
const at = (tag: string): string => `oci:${work}/${tag}:v1`;
const onto = (base: string): readonly string[] => ['--old-base', oldBase, '--new-base', at(base)];

/** Makes a base of the old one with a file more, or with another one in its place. */
async function baseWith(tag: string, path: string, contents: Uint8Array): Promise<void> {
  const file = join(work, `${tag}.file`);
  writeFileSync(file, contents);
  await rewrite(['build', oldBase, at(tag), '--layer', `file:${file}:${path}`]);
}

/** Runs the program of an unpacked image, as far as its loader lets it. */
function start(rootfs: string) {
  return runToEnd('chroot', [rootfs, '/usr/sbin/nginx', '-v']);
}

beforeAll(async () => {
  work = workFolder('rebase');
  await run(bin, ['extract', oldBase, library, join(work, 'lib')]);
  const whole = join(work, 'lib', 'libcrypt.so.1');
  const bytes = readFileSync(existsSync(whole) ? whole : join(work, 'lib'));
  // The same library without the version of its symbols that programs of Debian need.
  const other = Buffer.from(bytes.toString('latin1').replaceAll('XCRYPT_2.0', 'XCRYPT_9.0'), 'latin1');
  expect(other.equals(bytes)).toBe(false);
  await baseWith('unfit', library, other);
  await baseWith('newer', '/etc/base-version', Buffer.from('2\n'));
});

afterAll(() => removeFolder(work));

test('a base without a version of symbols is refused, and the loader of the image refuses it as well', async () => {
  const refused = await ocislim(['rebase', app, at('bad'), ...onto('unfit')]);
  expect(refused.status).toBe(3);
  expect(refused.stderr).toMatch(
    /"libcrypt\.so\.1" has no version "XCRYPT_2\.0": its newest is "XCRYPT_9\.0"; needed by .*"usr\/sbin\/nginx"/,
  );
  expect(existsSync(join(work, 'bad'))).toBe(false);
  await rewrite(['rebase', app, at('bad'), ...onto('unfit'), '--force']);
  const folder = join(work, 'forced');
  await unpack(join(work, 'bad'), folder);
  expect(await start(folder)).toMatchObject({
    status: 1,
    stderr: expect.stringContaining("version `XCRYPT_2.0' not found") as string,
  });
});

// A test that is skipped counts as failed, so this one is not there where crane is not.
describe.each(isWhole ? ['crane'] : [])('the layers of %s', () => {
  test('are the same, and its new base is named in the same annotation', async () => {
    const registry = await DockerRegistry.start();
    try {
      const host = registry.host;
      await rewrite(['copy', app, `${host}/app:1`]);
      await rewrite(['copy', oldBase, `${host}/base:1`]);
      await rewrite(['copy', at('newer'), `${host}/base:2`]);
      const bases = [`${host}/base:1`, `${host}/base:2`] as const;
      await run('crane', [
        'rebase',
        '--insecure',
        `${host}/app:1`,
        '--old_base',
        bases[0],
        '--new_base',
        bases[1],
        '-t',
        `${host}/app:crane`,
      ]);
      await rewrite([
        'rebase',
        `${host}/app:1`,
        `${host}/app:2`,
        '--old-base',
        bases[0],
        '--new-base',
        bases[1],
      ]);
      await rewrite(['copy', `${host}/app:crane`, at('crane')]);
      await rewrite(['copy', `${host}/app:2`, at('ours')]);
      const [theirs, ours] = [
        await readImage(join(work, 'crane'), { tag: 'v1' }),
        await readImage(join(work, 'ours'), { tag: 'v1' }),
      ];
      const layersOf = (image: typeof ours) => image.manifest.layers.map(({ digest }) => digest);
      expect(layersOf(ours)).toEqual(layersOf(theirs));
      expect(ours.config.rootfs).toEqual(theirs.config.rootfs);
      const key = 'org.opencontainers.image.base.digest';
      expect(ours.manifest.annotations?.[key]).toBe(theirs.manifest.annotations?.[key]);
      // Without --old-base, what the first run has written leads to the base.
      await rewrite(['rebase', `${host}/app:2`, `${host}/app:3`, '--new-base', bases[0]]);
    } finally {
      await registry.stop();
    }
  });
});

// Unpacking twice and listing everything takes long: a part of the whole.
describe.each(isWhole ? ['umoci'] : [])('what %s unpacks', () => {
  test('of nginx on a newer base starts, and has its own files and those of the base', async () => {
    await rewrite(['rebase', app, at('done'), ...onto('newer')]);
    const [before, after] = [join(work, 'before'), join(work, 'after')];
    await unpack(join(images, 'nginx'), before);
    await unpack(join(work, 'done'), after);
    const [was, is] = [await listRootfs(before), await listRootfs(after)];
    expect(readFileSync(join(after, 'etc/base-version'), 'utf8')).toBe('2\n');
    const rest = new Map([...is].filter(([path]) => path !== 'etc/base-version'));
    // The time of the directory is that of the layer with the new file.
    const told = differences(was, rest).filter((line) => !/\betc\b(?!\/)/.test(line));
    expect(told).toEqual([]);
    expect((await start(after)).stderr).toContain('nginx version');
  });
});
