import {
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { tar } from '../jobs/rig.ts';
import { callCli } from '../support/cli.ts';
import { buildImage, readImage, writeLayout } from '../support/image-builder.ts';

const options = ['--report', '--digestfile', '--iidfile', '--metadata-file'];
let folder = '';
const at = (name: string) => join(folder, name);
const source = () => `oci:${at('source')}:app`;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ocislim-outputs-'));
  await writeLayout(at('source'), { app: buildImage({ layers: [tar('a=1'), tar('a=2')] }) });
  mkdirSync(at('folder.json'));
  writeFileSync(at('there.json'), 'as it was');
  symlinkSync(at('there.json'), at('link.json'));
  linkSync(at('there.json'), at('hard.json'));
  symlinkSync(at('not-yet.json'), at('dangling.json'));
  symlinkSync('/dev/full', at('full.json'));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('a file of results that cannot be written', () => {
  /** Asserts that a file is refused before the source is opened, which does not exist. */
  async function refused(args: readonly string[], status: number): Promise<string> {
    const before = readdirSync(folder);
    const result = await callCli([
      'squash',
      `oci:${at('nothing')}:1`,
      `oci:${at('result')}:1`,
      '--all',
      ...args,
    ]);
    expect(result.status, result.stderr).toBe(status);
    expect(result.stdout).toBe('');
    expect(readdirSync(folder)).toEqual(before);
    expect(readFileSync(at('there.json'), 'utf8')).toBe('as it was');
    return result.stderr;
  }

  describe.each(options)('of %s', (option) => {
    test.each([
      [
        'in a folder that is not there',
        'none/x.json',
        1,
        /there is no folder .*none \[IO\]\n {2}Make it first: mkdir -p /,
      ],
      ['that is a folder', 'folder.json', 1, /it is a folder \[IO\]\n {2}Name a file/],
      ['below a file', 'there.json/x.json', 1, /not a directory/],
      ['with a name that is too long', `${'x'.repeat(300)}.json`, 1, /name too long/],
      ['that is a device', 'full.json', 1, /it is a device/],
    ])('%s is refused before the work', async (_, name, status, message) => {
      const stderr = await refused([option, at(name)], status);
      expect(stderr).toMatch(message);
      expect(stderr).toContain(`${option}: cannot write`);
    });

    test('where the system makes no files is refused before the work', async () => {
      expect(await refused([option, '/proc/self/x.json'], 1)).toMatch(/cannot write .*x\.json/);
    });
  });

  test.each(options.slice(1))('%s without a name is refused', async (option) => {
    expect(await refused([`${option}=`], 2)).toContain(`${option} is empty`);
  });

  test.each([
    ['the same name', 'new.json', 'new.json'],
    ['another way to it', 'new.json', '../NAME/./new.json'],
    ['a file that is there', 'there.json', 'there.json'],
    ['a link to it', 'there.json', 'link.json'],
    ['another of its names', 'there.json', 'hard.json'],
    ['a link to what is not there yet', 'not-yet.json', 'dangling.json'],
  ])('two options for one file: %s', async (_, first, second) => {
    const name = folder.split('/').at(-1) ?? '';
    const files = [at(first), `${folder}/${second.replace('NAME', name)}`] as const;
    expect(await refused(['--report', files[0], '--digestfile', files[1]], 2)).toMatch(
      /--digestfile ".*" is the file of --report too: name another file/,
    );
  });

  test('an archive that is read or written', async () => {
    const archive = at('image.json');
    const args = ['copy', source(), `oci-archive:${archive}:1`];
    expect((await callCli([...args, '--report', archive])).stderr).toContain('is the destination');
    expect((await callCli(args)).status).toBe(0);
    const again = ['copy', `oci-archive:${archive}:1`, `oci:${at('other')}:1`, '--digestfile', archive];
    expect((await callCli(again)).stderr).toContain('is the source');
    rmSync(archive);
  });

  test('devices of the system may be named twice', async () => {
    const args = [
      'copy',
      source(),
      `oci:${at('twice')}:1`,
      '--digestfile',
      '/dev/null',
      '--iidfile',
      '/dev/null',
    ];
    expect(await callCli(args)).toMatchObject({ status: 0 });
  });
});

describe('a file that a command without an image writes', () => {
  test.each([
    ['export', () => ['export', `oci:${at('nothing')}:1`, at('none/rootfs.tar')]],
    ['trace merge', () => ['trace', 'merge', at('nothing'), '-o', at('none/x')]],
    ['trace seccomp', () => ['trace', 'seccomp', at('nothing'), '-o', at('none/x')]],
    ['trace apparmor', () => ['trace', 'apparmor', at('nothing'), '-o', at('none/x')]],
    ['trace record', () => ['trace', 'record', '-o', at('none/x'), '--', 'touch', at('ran')]],
  ])('is checked before %s works', async (_, args) => {
    const { status, stderr } = await callCli(args());
    expect(status).toBe(1);
    expect(stderr).toMatch(/cannot write .*: there is no folder .*none \[IO\]\n {2}Make it first: mkdir -p /);
    expect(readdirSync(folder)).not.toContain('ran');
  });
});

describe('what fails after publishing', () => {
  test.each([
    ['--digestfile', '/dev/full', /no space left on device/],
    ['--iidfile', '/dev/full', /no space left on device/],
    ['--metadata-file', '/dev/full', /no space left on device/],
    ['--report', 'gone/x.json', /no such file or directory/],
  ])('%s %s is told of, with the digest on stdout and a status of its own', async (option, file, why) => {
    mkdirSync(at('gone'));
    const target = `oci:${at(`after${option}`)}:1`;
    const args = ['squash', source(), target, '--all', '--label', 'a=b', '--report', at('other.md'), option];
    const given = file.startsWith('/') ? file : at(file);
    const { status, stdout, stderr } = await callCli([
      ...args,
      given,
      '--verify-with',
      `rm -r ${at('gone')}`,
    ]);
    const { descriptor } = await readImage(at(`after${option}`), { tag: '1' });
    expect(status, stderr).toBe(5);
    expect(stdout).toBe(`${target}@${descriptor.digest}\n`);
    expect(stderr).toMatch(/ocislim: published, but --.*: cannot write .*\[PUBLISHED\]/);
    expect(stderr).toMatch(why);
    // The others are written all the same.
    expect(readFileSync(at('other.md'), 'utf8')).toContain(descriptor.digest);
  });

  test('a dry run writes no digest, so that none can fail', async () => {
    const args = ['squash', source(), '--all', '--dry-run', '--digestfile', '/dev/full'];
    expect(await callCli(args)).toMatchObject({ status: 0 });
  });
});
