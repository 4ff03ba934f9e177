import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { relativeLinks } from '../../scripts/release/links.ts';
import { debianNames } from '../../scripts/release/deb.ts';
import { readManifest, root } from '../../scripts/release/manifest.ts';
import { architectures } from '../../scripts/release/runtimes.ts';
import { commands } from '../../src/cli/commands/all.ts';
import { bin } from '../support/e2e/cli.ts';
import { type Ended, removeFolder, run, runToEnd } from '../support/e2e/programs.ts';
import { isWhole } from '../support/extent.ts';
import { writeLayout } from '../support/image-builder.ts';
import { designedImage } from '../support/small-image.ts';

// The release is made once, packed quickly. What it holds is installed and run as a user would do it.
const { version } = readManifest();
const architecture = architectures.find((each) => each === process.arch) ?? 'x64';
const debian = debianNames[architecture];
const env = { SOURCE_DATE_EPOCH: '1796016335' };
const quick = ['--built', '--quick'];
let work: string;
let out: string;

const release = (folder: string, ...options: readonly string[]) =>
  run(process.execPath, [join(root, 'scripts/release.ts'), '--out', folder, ...options], { env });
const archive = () => join(work, `ocislim-${version}-linux-${architecture}`);

beforeAll(async () => {
  // Not in memory: programs there may not be executable.
  work = mkdtempSync(join(tmpdir(), 'ocislim-release-'));
  out = join(work, 'out');
  await release(out, ...quick, '--architecture', architecture);
  await run('tar', ['-xzf', `${archive().replace(work, out)}.tar.gz`, '-C', work]);
  await writeLayout(join(work, 'image'), { 1: designedImage() });
});
afterAll(() => removeFolder(work));

/** Slims the small image into a layout. Returns the digest that was printed. */
async function slim(
  program: readonly [string, ...string[]],
  name: string,
  { options = [], native = '0' }: { readonly options?: readonly string[]; readonly native?: string } = {},
): Promise<string> {
  const [command, ...words] = program;
  const line = [...words, 'slim', `oci:${work}/image:1`, `oci:${work}/${name}:1`, ...options];
  const { status, stdout }: Ended = await runToEnd(command, line, { env: { OCISLIM_NATIVE: native } });
  expect(status).toBe(0);
  return /@(sha256:[0-9a-f]{64})\n$/.exec(stdout)?.[1] ?? stdout;
}

/** Compressions that take threads, each with its options. */
const packings: readonly (readonly [string, readonly string[]])[] = [
  ['gzip', ['--compression', 'gzip', '--level', '9']],
  ['zstd', ['--compression', 'zstd', '--level', '9']],
  ['pako', ['--compression', 'gzip', '--gzip-engine', 'pako']],
];

test('the sums are those of all files', async () => {
  const sums = readFileSync(join(out, 'SHA256SUMS'), 'utf8');
  await run('sh', ['-c', `cd "${out}" && sha256sum --quiet --strict -c SHA256SUMS`]);
  const listed = sums
    .trimEnd()
    .split('\n')
    .map((line) => line.slice(66));
  expect(listed).toEqual(
    readdirSync(out)
      .filter((name) => name !== 'SHA256SUMS')
      .toSorted(),
  );
  expect(listed).toEqual(
    expect.arrayContaining([
      `ocislim-${version}.tgz`,
      `ocislim-${version}.cdx.json`,
      `ocislim-${version}-linux-${architecture}.tar.gz`,
      `ocislim_${version}_${debian}.deb`,
    ]),
  );
});

/** npm installs what it has in its cache since it installed this checkout. */
const withoutNetwork = ['--omit=dev', '--offline', '--no-audit', '--no-fund'];

/** Returns the lock of an installation of the package: that of this checkout, one level higher. */
function lockOf(tarball: string): object {
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    readonly packages: Readonly<Record<string, { readonly dev?: boolean }>>;
  };
  const { dependencies } = readManifest();
  const needed = Object.entries(lock.packages).filter(([place, { dev }]) => place !== '' && dev !== true);
  const packages = {
    '': { dependencies: { ocislim: tarball } },
    'node_modules/ocislim': { version, resolved: tarball, dependencies, bin: { ocislim: 'bin/ocislim' } },
    ...Object.fromEntries(needed),
  };
  return { lockfileVersion: 3, requires: true, packages };
}

describe('the npm package', () => {
  const tarball = () => `file:${out}/ocislim-${version}.tgz`;
  let installed: string;
  beforeAll(async () => {
    installed = join(work, 'npm');
    await mkdir(installed);
    await writeFile(
      join(installed, 'package.json'),
      JSON.stringify({ dependencies: { ocislim: tarball() } }),
    );
    await writeFile(join(installed, 'package-lock.json'), JSON.stringify(lockOf(tarball())));
    await run('npm', ['ci', ...withoutNetwork, '--prefix', installed]);
  });

  test('is installed without packages for development, and slims an image', async () => {
    const command = join(installed, 'node_modules/.bin/ocislim');
    expect(await run(process.execPath, [command, '--version'])).toBe(`${version}\n`);
    const digest = await slim([process.execPath, command], 'by-npm');
    expect(digest).toBe(await slim([process.execPath, bin], 'by-checkout'));
    expect(readdirSync(join(installed, 'node_modules'))).not.toContain('typescript');
  });

  test('holds schemas and documents without a dead link', () => {
    const folder = join(installed, 'node_modules/ocislim');
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' });
    expect(files).toEqual(expect.arrayContaining(['schemas', 'docs/closure.md', 'LICENSE', 'README.md']));
    const documents = files.filter((path) => path.endsWith('.md'));
    const dead = documents.flatMap((path) =>
      relativeLinks({ path, mode: 0, bytes: readFileSync(join(folder, path)) })
        .map((target) => target.replace(/\/$/, ''))
        .filter((target) => !files.includes(target)),
    );
    expect(dead).toEqual([]);
  });
});

describe('the executable', () => {
  const executable = () => join(archive(), 'bin/ocislim');

  test('knows its version and which engine runs', async () => {
    expect(await run(executable(), ['--version'])).toBe(`${version}\n`);
    const engines = readdirSync(archive()).includes('lib')
      ? `native engine for gzip: ${archive()}/lib/ocislim/ocislim.linux-${architecture}-gnu.node (beside the program)`
      : 'no native engine: ';
    expect(await run(executable(), ['--version', '--verbose'])).toContain(engines);
  });

  test.each(packings)('makes what the checkout makes with %s, in its own threads', async (name, options) => {
    const digest = await slim([executable()], `${name}-by-executable`, { options });
    expect(digest).toBe(await slim([process.execPath, bin], `${name}-by-checkout`, { options }));
  });

  test('makes the same with the native engine, where that lies beside it', async () => {
    const digest = await slim([executable()], 'native-by-executable', { native: '' });
    expect(digest).toBe(await slim([process.execPath, bin], 'wasm-by-checkout'));
  });

  test('comes with the completions that it prints', async () => {
    const share = join(archive(), 'share');
    const zsh = readFileSync(join(share, 'zsh/site-functions/_ocislim'), 'utf8');
    expect(await run(executable(), ['completion', 'zsh'])).toBe(zsh);
    expect(readdirSync(join(share, 'bash-completion/completions'))).toEqual(['ocislim']);
    expect(readdirSync(join(share, 'fish/vendor_completions.d'))).toEqual(['ocislim.fish']);
  });

  test('comes with manual pages that mandoc finds nothing wrong with', async () => {
    const folder = join(archive(), 'share/man/man1');
    const pages = readdirSync(folder).map((name) => join(folder, name));
    expect(pages).toHaveLength(commands.length + 1);
    // mandoc unpacks the first of several files only.
    for (const page of pages) expect(await run('mandoc', ['-T', 'lint', '-W', 'warning', page])).toBe('');
  });

  test('needs no newer libraries than the Debian package asks for', async () => {
    const needed = await run('readelf', ['-V', executable()]);
    const newest = (name: string) =>
      Math.max(
        ...[...needed.matchAll(new RegExp(`Name: ${name}_[23]\\.(?:4\\.)?(\\d+)`, 'g'))].map(([, n]) =>
          Number(n),
        ),
      );
    expect(newest('GLIBC')).toBeLessThanOrEqual(28);
    // That of GCC 6.
    expect(newest('GLIBCXX')).toBeLessThanOrEqual(22);
  });
});

describe('the Debian package', () => {
  const deb = () => join(out, `ocislim_${version}_${debian}.deb`);

  test('is what dpkg-deb understands', async () => {
    const fields = await run('dpkg-deb', ['-f', deb(), 'Package', 'Version', 'Architecture']);
    expect(fields).toBe(`Package: ocislim\nVersion: ${version}\nArchitecture: ${debian}\n`);
    const listed = await run('dpkg-deb', ['-c', deb()]);
    expect(listed).toMatch(/^drwxr-xr-x root\/root +0 2026-11-30 05:25 \.\/\n/);
    expect(listed).toMatch(/^-rwxr-xr-x root\/root +\d+ 2026-11-30 05:25 \.\/usr\/bin\/ocislim$/m);
  });

  test('is installed whole, and runs', async () => {
    const system = join(work, 'system');
    const admin = join(system, 'var/lib/dpkg');
    for (const folder of ['info', 'updates', 'triggers'])
      await mkdir(join(admin, folder), { recursive: true });
    await writeFile(join(admin, 'status'), '');
    const dpkg = (...args: readonly string[]) =>
      run('dpkg', [`--root=${system}`, '--force-not-root', '--force-depends', ...args]);
    await dpkg('-i', deb());
    expect(await dpkg('--verify', 'ocislim')).toBe('');
    expect(await run(join(system, 'usr/bin/ocislim'), ['--version'])).toBe(`${version}\n`);
    const files = (await dpkg('-L', 'ocislim')).split('\n');
    expect(files).toEqual(
      expect.arrayContaining([
        '/usr/share/bash-completion/completions/ocislim',
        '/usr/share/doc/ocislim/copyright',
        '/usr/share/fish/vendor_completions.d/ocislim.fish',
        '/usr/share/man/man1/ocislim-slim.1.gz',
        '/usr/share/zsh/vendor-completions/_ocislim',
      ]),
    );
  });
});

test('a release of the same sources has the same bytes, in any folder', async () => {
  const again = join(work, 'again');
  // Executables are made twice by `npm run test:all` only: they take most of the time.
  const parts = isWhole ? ['--architecture', architecture] : ['--architecture', 'none', '--native', 'none'];
  const first = isWhole ? out : join(work, 'first');
  if (!isWhole) await release(first, ...quick, ...parts);
  await release(again, ...quick, ...parts);
  expect(readFileSync(join(again, 'SHA256SUMS'), 'utf8')).toBe(
    readFileSync(join(first, 'SHA256SUMS'), 'utf8'),
  );
});

test('a checkout without packages for development is installed, with a sentence in place of a build', async () => {
  const checkout = join(work, 'checkout');
  await mkdir(join(checkout, 'scripts'), { recursive: true });
  await run('cp', [join(root, 'scripts/prepare.js'), join(checkout, 'scripts')]);
  await run('cp', [
    ...['package.json', 'package-lock.json', '.npmrc'].map((name) => join(root, name)),
    checkout,
  ]);
  const line = ['ci', ...withoutNetwork, '--foreground-scripts', '--prefix', checkout];
  const { status, stderr } = await runToEnd('npm', line);
  expect(stderr).toContain(
    'ocislim: dist/ was not built, because the packages for development are left out.',
  );
  expect(status).toBe(0);
});
