import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Filesystem, mergeStack, type Walk } from '../../src/rootfs/filesystem.ts';
import { applyLayers } from '../support/model/filesystem.ts';
import { readTar } from '../support/model/tar-bytes.ts';
import type { Short } from '../support/model/shorthand.ts';
import { layerStack } from '../support/arbitrary/layers.ts';
import { buildStack } from '../../src/changeset/stack.ts';
import { scanTar } from '../../src/layers/read/scan-tar.ts';
import { stackOf, indexOf } from '../changeset/rig.ts';
import { b, p } from '../support/bytes.ts';

async function merged(...layers: readonly (readonly Short[])[]): Promise<Filesystem> {
  const indexes = await Promise.all(layers.map((entries) => indexOf(...entries)));
  return mergeStack(await stackOf(...layers), new Map(indexes.map((index, i) => [i + 1, index])));
}

function show({ path, links, missing, loops }: Walk): string {
  const end = path === null ? `nothing at ${missing}${loops ? ', loops' : ''}` : `/${path}`;
  return [...links, end].join(' ');
}

describe('resolve', () => {
  const usrmerge = [
    'usr/',
    'usr/bin/',
    'usr/bin/sh',
    'bin~>usr/bin',
    'etc/',
    'etc/sh~>/bin/sh',
    'up~>../../bin/sh',
  ];

  test.each([
    ['/usr/bin/sh', '/usr/bin/sh'],
    ['bin/sh', 'bin /usr/bin/sh'],
    ['//bin/./sh', 'bin /usr/bin/sh'],
    ['/etc/sh', 'etc/sh bin /usr/bin/sh'],
    ['/up', 'up bin /usr/bin/sh'],
    // Up from where the link led: /usr, which holds no `etc`.
    ['/bin/../bin/sh', 'bin /usr/bin/sh'],
    ['/bin/../etc', 'bin nothing at usr/etc'],
    ['/usr/bin/..', '/usr'],
    ['/../../etc', '/etc'],
    ['/usr/bin/sh/', 'nothing at usr/bin/sh'],
    ['/usr/bin/sh/..', 'nothing at usr/bin/sh'],
    ['/none/x', 'nothing at none'],
    ['', '/'],
  ])('walks %j by %j', async (name, expected) => {
    const fs = await merged(usrmerge);
    expect(show(fs.resolve(b(name)))).toBe(expected);
  });

  test('does not follow the last component with follow: false', async () => {
    const fs = await merged(usrmerge);
    expect(show(fs.resolve(b('/etc/sh'), { follow: false }))).toBe('/etc/sh');
    expect(show(fs.resolve(b('/bin'), { follow: false }))).toBe('/bin');
    expect(show(fs.resolve(b('/bin/sh'), { follow: false }))).toBe('bin /usr/bin/sh');
  });

  test('starts relative names at `from`', async () => {
    const fs = await merged(usrmerge);
    expect(show(fs.resolve(b('sh'), { from: p('usr/bin') }))).toBe('/usr/bin/sh');
    expect(show(fs.resolve(b('../bin/sh'), { from: p('usr/bin') }))).toBe('/usr/bin/sh');
    expect(show(fs.resolve(b('/etc'), { from: p('usr/bin') }))).toBe('/etc');
  });

  test('T2: ends in a loop', async () => {
    const fs = await merged(['a~>b', 'b~>/a', 'c~>c', 'd~>d/x']);
    expect(fs.resolve(b('a'))).toMatchObject({ path: null, loops: true });
    expect(fs.resolve(b('c'))).toMatchObject({ path: null, loops: true });
    expect(fs.resolve(b('d'))).toMatchObject({ path: null, loops: true });
    expect(fs.resolve(b('a')).links).toHaveLength(40);
  });

  test('refuses longer names than Linux does', async () => {
    const long = { name: 'long', type: 'symlink', linkname: `${'/'.repeat(500_000)}a` } as const;
    const fs = await merged(['a', long, `short~>${'/'.repeat(4094)}a`]);
    expect(show(fs.resolve(b('short')))).toBe('short /a');
    expect(show(fs.resolve(b('long')))).toBe('long nothing at long');
    expect(fs.resolve(b(`${'a/'.repeat(500_000)}a`)).path).toBeNull();
  });

  test('sees the result of all layers', async () => {
    const fs = await merged(
      ['lib/', 'lib/a=1'],
      ['usr/lib/b=2', '.wh.lib', 'lib64~>usr/lib'],
      ['usr/lib/b->usr/lib/b2', 'usr/lib/b2=3'].reverse(),
    );
    expect(show(fs.resolve(b('lib/a')))).toBe('nothing at lib');
    expect(show(fs.resolve(b('lib64/b')))).toBe('lib64 /usr/lib/b');
    expect(fs.names(p('usr/lib/b'))).toEqual(['usr/lib/b', 'usr/lib/b2']);
    expect(fs.kind(p('usr/lib'))).toBe('directory');
    expect([...fs.children(p(''))]).toEqual(['lib64', 'usr']);
    expect([...fs.below(p('usr'))]).toEqual(['usr/lib', 'usr/lib/b', 'usr/lib/b2']);
  });
});

test('attributes are those of the entry that carries the data', async () => {
  const fs = await merged([
    { name: 'a', body: new Uint8Array(5), mode: 0o4755, uid: 33 },
    { name: 'd', type: 'dir', mode: 0o1777, uid: 1000 },
    'b->a',
  ]);
  expect([fs.mode(p('b')), fs.uid(p('b')), fs.size(p('b'))]).toEqual([0o4755, 33, 5]);
  expect([fs.mode(p('d')), fs.uid(p('d')), fs.mode(p('none'))]).toEqual([0o1777, 1000, 0o755]);
  expect(fs.target(p('a'))).toBeNull();
});

test('law: it holds what the model of the specification holds', async () => {
  async function* whole(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
    yield bytes;
  }
  await fc.assert(
    fc.asyncProperty(layerStack(), async (stack) => {
      const indexes = new Map(
        await Promise.all(
          stack.layers.map(async ({ tar }, i) => [i + 1, await scanTar(whole(tar))] as const),
        ),
      );
      const fs = mergeStack(buildStack(indexes), indexes);
      const model = applyLayers(stack.layers.map(({ tar }) => readTar(tar)));
      expect([...fs.all()].sort()).toEqual([...model.keys()].filter((path) => path !== '').sort());
      for (const [path, node] of model) {
        const kind = node.kind === 'dir' ? 'directory' : node.kind;
        expect([path, fs.kind(p(path))]).toEqual([path, kind]);
        if (node.kind === 'symlink') expect(fs.target(p(path))).toBe(node.target);
        const walk = fs.resolve(b(`/${path}`));
        expect(walk.links.length).toBeLessThanOrEqual(40);
        if (walk.path !== null && walk.path !== '') expect(model.has(walk.path)).toBe(true);
      }
    }),
    { numRuns: 200 },
  );
});
