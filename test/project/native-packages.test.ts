import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { manifestOf, optionalDependencies } from '../../scripts/package-native.ts';
import { nativePlatforms } from '../../src/codec/native-platform.ts';

const read = (name: string) => readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8');
const main = JSON.parse(read('package.json')) as Readonly<Record<string, unknown>>;

test('each platform has a package that npm installs there alone, without scripts', () => {
  const { repository: _, ...rest } = main;
  const packages = nativePlatforms.map((platform) => manifestOf(platform, rest));
  expect(packages[0]).toEqual({
    name: '@ocislim/native-linux-x64-gnu',
    version: main['version'],
    description: 'The native engine of ocislim for linux-x64-gnu: the same bytes, faster',
    license: 'Apache-2.0',
    engines: { node: '>=24' },
    os: ['linux'],
    cpu: ['x64'],
    libc: ['glibc'],
    main: 'ocislim.linux-x64-gnu.node',
    files: ['ocislim.linux-x64-gnu.node', 'LICENSES.txt'],
  });
  expect(packages[3]).toMatchObject({ cpu: ['arm64'], libc: ['musl'] });
});

test('they come from the repository that ocislim names', () => {
  const repository = { type: 'git', url: 'git+https://git.test/someone/ocislim.git' };
  expect(manifestOf('linux-x64-gnu', { ...main, repository })).toMatchObject({ repository });
});

test('a release lists them in exactly its own version, and this checkout lists none', () => {
  expect(Object.keys(optionalDependencies('1.2.3', nativePlatforms))).toEqual(
    nativePlatforms.map((platform) => `@ocislim/native-${platform}`),
  );
  expect(new Set(Object.values(optionalDependencies('1.2.3', nativePlatforms)))).toEqual(new Set(['1.2.3']));
  // The packages are not published yet: with them `npm ci` would fail.
  expect(main).not.toHaveProperty('optionalDependencies');
});

test('crates are wanted in exact versions, and their lock file is not committed', () => {
  const [, dependencies = ''] =
    /^\[dependencies\]\n([\s\S]*?)\[profile/m.exec(read('native/Cargo.toml')) ?? [];
  const versions = [...dependencies.matchAll(/^[\w-]+ = (?:\{ version = )?"([^"]+)"/gm)].map(
    ([, each]) => each,
  );
  expect(versions.length).toBeGreaterThan(5);
  for (const version of versions) expect(version).toMatch(/^=\d+\.\d+\.\d+$/);
  expect(read('.gitignore')).toContain('native/Cargo.lock\n');
});
