import { describe, expect, test } from 'vitest';
import type { WasteFinding, WasteKind } from '../../src/analyze/analysis.ts';
import { analysisOf, type Step } from '../support/analyze.ts';
import type { Short } from '../support/model/shorthand.ts';

const copy = (...entries: readonly Short[]): Step => ({ row: 'COPY . /app # buildkit', entries });
const run = (command: string, ...entries: readonly Short[]): Step => ({
  row: `RUN /bin/sh -c ${command} # buildkit`,
  entries,
});
const data = (length: number, seed = 1): string =>
  Array.from({ length }, (_, i) =>
    String.fromCharCode(97 + ((i * 7 + seed * 13 + ((i * seed) >> 3)) % 26)),
  ).join('');

async function found(kind: WasteKind, steps: readonly Step[], config = {}): Promise<readonly WasteFinding[]> {
  return (await analysisOf(steps, config)).findings.filter((finding) => finding.kind === kind);
}

describe('what upper layers hide', () => {
  test('a file that an upper layer deletes is told with both instructions', async () => {
    const findings = await found('deleted', [
      run('make', 'app/', `app/build.log=${data(5000)}`),
      run('rm app/build.log', 'app/', 'app/.wh.build.log'),
    ]);
    expect(findings).toMatchObject([
      {
        bytes: 5000,
        files: 1,
        layer: 1,
        by: 2,
        why: 'layer 2 (RUN rm app/build.log) deletes 1 file of layer 1 (RUN make), and the contents stay in the image',
        places: [{ path: 'app', bytes: 5000, files: 1, layer: 1 }],
        dockerfile: 'Delete them in the same RUN that makes them.',
        command: ['prune', '--shadowed'],
      },
    ]);
  });

  test('what a COPY brings in vain belongs into .dockerignore', async () => {
    const [finding] = await found('deleted', [copy(`a=${data(2000)}`), run('rm a', '.wh.a')]);
    expect(finding?.dockerfile).toContain('.dockerignore');
  });

  test('a chown -R stores the files again, and is told from other contents', async () => {
    const owned = (uid: number): Short[] => [
      { name: 'app/one', body: Buffer.from(data(4000)), uid, gid: uid },
      { name: 'app/two', body: Buffer.from(data(3000, 2)), uid, gid: uid },
    ];
    const steps = [
      copy(...owned(0), `app/three=${data(2000)}`),
      run('chown -R 1000 /app', ...owned(1000), `app/three=${data(2000, 5)}`),
    ];
    expect(await found('attributes', steps)).toMatchObject([
      {
        bytes: 7000,
        files: 2,
        layer: 1,
        by: 2,
        why: 'layer 2 (RUN chown -R 1000 /app) stores 2 files of layer 1 (COPY . /app) again only with another owner',
        dockerfile: 'Use COPY --chown=1000:1000 and leave out the chown after it.',
      },
    ]);
    expect(await found('overwritten', steps)).toMatchObject([{ bytes: 2000, files: 1, layer: 1, by: 2 }]);
  });

  test('a chmod, and a touch, say so', async () => {
    const file = (more: object): Short => ({ name: 'a', body: Buffer.from(data(2000)), ...more });
    const [mode] = await found('attributes', [
      copy(file({ mode: 0o644 })),
      run('chmod +x a', file({ mode: 0o755 })),
    ]);
    expect(mode).toMatchObject({
      why: expect.stringContaining('another mode') as string,
      dockerfile: expect.stringContaining('--chmod') as string,
    });
    const [time] = await found('attributes', [
      copy(file({ mtime: '1' })),
      run('touch a', file({ mtime: '2' })),
    ]);
    expect(time?.why).toContain('another time');
  });

  test('a file that is hidden but linked is not waste', async () => {
    const steps = [copy(`a=${data(2000)}`, 'b->a'), run('rm a', '.wh.a')];
    expect(await found('deleted', steps)).toEqual([]);
  });
});

describe('the same contents twice', () => {
  test('files that a hard link can replace are told apart from others', async () => {
    const steps = [
      copy(`one=${data(3000)}`, `two=${data(3000)}`, {
        name: 'three',
        body: Buffer.from(data(3000)),
        uid: 5,
      }),
    ];
    expect(await found('duplicates', steps)).toMatchObject([
      {
        bytes: 3000,
        files: 1,
        command: null,
        why: expect.stringContaining('"three" is also in "two"') as string,
      },
      {
        bytes: 3000,
        files: 1,
        layer: 1,
        command: ['prune', '--shadowed', '--dedupe-hardlink', '--layers', '1'],
      },
    ]);
    const { totals, layers } = await analysisOf(steps);
    expect([totals.duplicateBytes, layers[0]?.duplicateBytes]).toEqual([6000, 6000]);
  });

  test('files of two layers are counted in the upper one, and hidden files and links not at all', async () => {
    const { layers } = await analysisOf([
      copy(`a=${data(2000)}`, `hidden=${data(2000, 3)}`, 'link->a'),
      run('cp', `b=${data(2000)}`, `c=${data(2000, 3)}`, '.wh.hidden'),
    ]);
    expect(layers.map(({ duplicateBytes }) => duplicateBytes)).toEqual([0, 2000]);
  });
});

describe('what presets remove', () => {
  test.each([
    ['cache', 'apt-lists', `var/lib/apt/lists/x_Packages=${data(2000)}`],
    ['cache', 'apk-cache', `var/cache/apk/x.apk=${data(2000)}`],
    ['cache', 'pip-cache', `root/.cache/pip/http/x=${data(2000)}`],
    ['cache', 'npm-yarn-cache', `root/.npm/_cacache/x=${data(2000)}`],
    ['cache', 'go-cache', `root/.cache/go-build/x=${data(2000)}`],
    ['cache', 'cargo-cache', `usr/local/cargo/registry/cache/x=${data(2000)}`],
    ['documentation', 'docs', `usr/share/man/man1/x.1.gz=${data(2000)}`],
    ['documentation', 'locales', `usr/share/locale/de/LC_MESSAGES/x.mo=${data(2000)}`],
    ['static-libraries', 'static-libs', `usr/lib/libx.a=${data(2000)}`],
    ['development', 'headers-pc', `usr/include/x.h=${data(2000)}`],
    ['development', 'vcs', `srv/.git/objects/x=${data(2000)}`],
  ] as const)('is a finding of the kind %s with the preset %s', async (kind, preset, entry) => {
    expect(await found(kind, [run('install', entry)])).toMatchObject([
      {
        bytes: 2000,
        files: 1,
        layer: 1,
        command: ['prune', '--preset', preset],
        why: expect.stringContaining('(RUN install)') as string,
      },
    ]);
  });

  test.each([
    ['cache', `root/.m2/repository/x.jar=${data(2000)}`],
    ['debug-symbols', `usr/lib/debug/.build-id/x.debug=${data(2000)}`],
  ] as const)('or of the kind %s with rules', async (kind, entry) => {
    const [finding] = await found(kind, [run('install', entry)]);
    expect(finding).toMatchObject({ bytes: 2000, files: 1, layer: 1 });
    expect(finding?.command?.slice(0, 2)).toEqual(['prune', '--rule']);
  });

  test.each([
    ['debian', /dpkg\.cfg\.d.*\/doc/, /dpkg\.cfg\.d.*\/locale/],
    ['ubuntu', /dpkg\.cfg\.d.*\/doc/, /dpkg\.cfg\.d.*\/locale/],
    ['fedora', /tsflags=nodocs/, /%_install_langs/],
    ['"rocky"', /tsflags=nodocs/, /%_install_langs/],
    ['alpine', /\*-doc/, /\*-lang/],
    ['arch', /^Leave them out where/, /^Leave them out where/],
  ])('the advice about documentation is for the distribution %s', async (id, docs, locales) => {
    const findings = await found('documentation', [
      copy(
        `etc/os-release=ID=${id}\n`,
        `usr/share/man/man1/x.1.gz=${data(3000)}`,
        `usr/share/locale/de/LC_MESSAGES/x.mo=${data(2000, 2)}`,
      ),
    ]);
    expect(findings.map(({ dockerfile }) => dockerfile)).toEqual([
      expect.stringMatching(docs),
      expect.stringMatching(locales),
    ]);
  });

  test('a file counts once, and not at all while another name of it stays', async () => {
    const { findings } = await analysisOf([
      run(
        'install',
        `usr/share/doc/.git/a=${data(2000)}`,
        `var/lib/apt/lists/b=${data(3000)}`,
        'srv/b->var/lib/apt/lists/b',
      ),
    ]);
    expect(findings.map(({ kind, bytes }) => [kind, bytes])).toEqual([['documentation', 2000]]);
  });
});

describe('packages', () => {
  const module_ = (directory: string, version: string, bytes: number): Short[] => [
    `${directory}/package.json=${JSON.stringify({ name: 'left-pad', version })}`,
    `${directory}/index.js=${data(bytes)}`,
  ];

  test('that are installed twice count without the largest copy', async () => {
    const [finding] = await found('package-twice', [
      run(
        'npm ci',
        ...module_('app/node_modules/left-pad', '1.0.0', 5000),
        ...module_('app/node_modules/b/node_modules/left-pad', '2.0.0', 3000),
      ),
    ]);
    expect(finding).toMatchObject({
      files: 1,
      layer: 1,
      command: null,
      why: expect.stringContaining('left-pad (1.0.0, 2.0.0)') as string,
    });
    expect(finding?.bytes).toBeGreaterThanOrEqual(3000);
    expect(finding?.bytes).toBeLessThan(3200);
  });

  test('that only builds need are told by name', async () => {
    const status = (name: string) =>
      `Package: ${name}\nStatus: install ok installed\nVersion: 1\nArchitecture: amd64\n\n`;
    const steps = [
      run(
        'apt-get install -y gcc',
        `var/lib/dpkg/status=${status('gcc-12')}${status('gcc-12-base')}${status('curl')}`,
        'var/lib/dpkg/info/gcc-12.list=/usr/bin/gcc-12\n',
        'var/lib/dpkg/info/gcc-12-base.list=/usr/lib/base\n',
        'var/lib/dpkg/info/curl.list=/usr/bin/curl\n',
        `usr/bin/gcc-12=${data(4000)}`,
        `usr/lib/base=${data(1000, 4)}`,
        `usr/bin/curl=${data(1000, 6)}`,
      ),
    ];
    expect(await found('development', steps)).toMatchObject([
      { bytes: 4000, files: 1, layer: 1, why: expect.stringMatching(/^1 package .*\(gcc-12\)/) as string },
    ]);
  });
});

test('findings about security come first, then by bytes', async () => {
  const { findings } = await analysisOf(
    [
      run('a', `usr/share/man/x=${data(2000)}`, `var/lib/apt/lists/x=${data(3000)}`),
      run('b', 'root/.netrc=machine a login b password secret1'),
    ],
    { Env: ['API_TOKEN=abcdefgh'] },
  );
  expect(findings.map(({ kind }) => kind)).toEqual([
    'secret-file',
    'secret-variable',
    'cache',
    'documentation',
  ]);
});
