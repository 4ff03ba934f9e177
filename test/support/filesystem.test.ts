import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { layerStack } from './arbitrary/layers.ts';
import { bytesOf } from './model/byte-string.ts';
import {
  ambiguities,
  applyLayers,
  describeRootfs,
  diffRootfs,
  InvalidLayer,
  type InvalidReason,
  isBelow,
  keepPaths,
  normalise,
  removePaths,
  type Rootfs,
} from './model/filesystem.ts';
import { layer, list, type Short } from './model/shorthand.ts';
import { type EntrySpec, type ModelEntry, readTar, writeTar } from './model/tar-bytes.ts';

function reasonOf(...layers: (readonly ModelEntry[])[]): InvalidReason | 'valid' {
  try {
    applyLayers(layers);
    return 'valid';
  } catch (error) {
    if (error instanceof InvalidLayer) return error.reason;
    throw error;
  }
}

describe('whiteouts', () => {
  it('hide a file, and a directory with all below it', () => {
    const base = layer('a=1', 'd/', 'd/e/', 'd/e/f=2', 'z=3');
    expect(list(base, layer('.wh.a', '.wh.d'))).toEqual(['z=3']);
    expect(list(base, layer('d/e/.wh.f'))).toEqual(['a=1', 'd/', 'd/e/', 'z=3']);
  });

  it('of what is not there change nothing but the parents that they imply', () => {
    expect(list(layer('a=1'), layer('.wh.b'))).toEqual(['a=1']);
    expect(list(layer('a=1'), layer('b/c/.wh.d'))).toEqual(['a=1', 'b/?', 'b/c/?']);
  });

  it('act on lower layers only, before and after an entry of their name', () => {
    const base = layer('a=old', 'd/', 'd/old=1');
    for (const upper of [layer('.wh.a', 'a=new'), layer('a=new', '.wh.a')]) {
      expect(list(base, upper)).toEqual(['a=new', 'd/', 'd/old=1']);
    }
    for (const upper of [layer('.wh.d', 'd/', 'd/new=2'), layer('d/', 'd/new=2', '.wh.d')]) {
      expect(list(base, upper)).toEqual(['a=old', 'd/', 'd/new=2']);
    }
  });

  it('do not act on the layers above', () => {
    expect(list(layer('a=1'), layer('.wh.a'), layer('a=2'))).toEqual(['a=2']);
  });

  it('hide a directory that has no entry of its own', () => {
    expect(list(layer('opt/x=1'), layer('.wh.opt'))).toEqual([]);
    expect(list(layer('opt/x=1'), layer('opt/.wh.x'))).toEqual(['opt/?']);
  });

  it('followed by an entry below make a fresh directory, not the old one', () => {
    const base = layer({ name: 'd/', type: 'dir', mode: 0o700 }, 'd/old=1');
    const rootfs = applyLayers([base, layer('.wh.d', 'd/new=2')]);
    expect([...rootfs.keys()].sort()).toEqual(['', 'd', 'd/new']);
    expect(rootfs.get('d')).toMatchObject({ implied: true, mode: 0o755 });
  });

  it('are plain names where .wh. stands inside', () => {
    expect(
      list(layer('y=1', 'x=1', 'd/a=1'), layer('x.wh.y=2', '.wh-not=3', 'd/not.a.wh..wh..opq=4')),
    ).toEqual(['.wh-not=3', 'd/?', 'd/a=1', 'd/not.a.wh..wh..opq=4', 'x=1', 'x.wh.y=2', 'y=1']);
  });

  it('of names that themselves look like markers', () => {
    // `.wh..wh-not` hides the file `.wh-not`.
    expect(list(layer('.wh-not=1', '...=2'), layer('.wh..wh-not', '.wh....'))).toEqual([]);
  });

  it('take a name whatever type their entry has', () => {
    expect(
      list(layer('a=1', 'b=1'), layer({ name: '.wh.a', type: 'dir' }, { name: '.wh.b', type: 'char' })),
    ).toEqual([]);
  });

  it('are errors where they hide nothing that has a name', () => {
    expect(reasonOf(layer('.wh.'))).toBe('bad-whiteout');
    expect(reasonOf(layer('a/.wh.'))).toBe('bad-whiteout');
    expect(reasonOf(layer('.wh..'))).toBe('bad-whiteout');
    expect(reasonOf(layer('.wh...'))).toBe('bad-whiteout');
    expect(reasonOf(layer('.wh.a/b=1'))).toBe('below-whiteout');
  });

  it('leave AUFS leftovers to nothing at all', () => {
    const leftovers = layer(
      '.wh..wh.plnk/',
      '.wh..wh.plnk/12.34=x',
      '.wh..wh.aufs',
      'd/.wh..wh.orph/',
      '.wh..wh..opq/x',
    );
    expect(list(layer('a=1'), leftovers)).toEqual(['a=1']);
  });
});

describe('opaque markers', () => {
  const base = layer({ name: 'd/', type: 'dir', mode: 0o700, mtime: '5' }, 'd/a=1', 'd/b/', 'd/b/c=2', 'e=3');

  it('hide all that lower layers put there, before and after their siblings', () => {
    for (const upper of [layer('d/', 'd/.wh..wh..opq', 'd/n=4'), layer('d/', 'd/n=4', 'd/.wh..wh..opq')]) {
      expect(list(base, upper)).toEqual(['d/', 'd/n=4', 'e=3']);
    }
  });

  it('keep the attributes of a directory that has no entry beside them', () => {
    const rootfs = applyLayers([base, layer('d/.wh..wh..opq')]);
    expect(rootfs.get('d')).toMatchObject({ implied: false, mode: 0o700, mtime: '5' });
    expect([...rootfs.keys()].sort()).toEqual(['', 'd', 'e']);
  });

  it('make their directory exist', () => {
    expect(list(layer('x/y/.wh..wh..opq'))).toEqual(['x/?', 'x/y/?']);
    expect(list(base, layer('.wh.d', 'd/.wh..wh..opq'))).toEqual(['d/?', 'e=3']);
    expect(list(base, layer('e/.wh..wh..opq'))).toEqual(['d/', 'd/a=1', 'd/b/', 'd/b/c=2', 'e/?']);
  });

  it('at the root hide everything', () => {
    expect(list(base, layer('.wh..wh..opq', 'n=1'))).toEqual(['n=1']);
    expect(list(base, layer('n=1', './.wh..wh..opq'))).toEqual(['n=1']);
  });

  it('agree with the example of the specification', () => {
    const lower = layer('a/', 'a/b/', 'a/b/c/', 'a/b/c/bar');
    const first = layer('a/', 'a/.wh..wh..opq', 'a/b/', 'a/b/c/', 'a/b/c/foo');
    const last = layer('a/', 'a/b/', 'a/b/c/', 'a/b/c/foo', 'a/.wh..wh..opq');
    expect(list(lower, first)).toEqual(['a/', 'a/b/', 'a/b/c/', 'a/b/c/foo']);
    expect(list(lower, last)).toEqual(list(lower, first));
  });
});

describe('changes of kind', () => {
  it('a non-directory over a directory hides the subtree', () => {
    expect(list(layer('a/', 'a/b/', 'a/b/c=1'), layer('a=2'))).toEqual(['a=2']);
    expect(list(layer('a/', 'a/b=1'), layer('a~>z'))).toEqual(['a~>z']);
    expect(list(layer('a/', 'a/b=1', 'a=2'))).toEqual(['a=2']);
  });

  it('a directory over a directory takes its attributes and keeps the children', () => {
    const lower = layer({ name: 'a/', type: 'dir', mode: 0o700, xattrs: { 'user.x': 'y' } }, 'a/b=1');
    const rootfs = applyLayers([lower, layer({ name: 'a/', type: 'dir', mode: 0o711, uid: 5 })]);
    expect(rootfs.get('a')).toMatchObject({ mode: 0o711, uid: 5, xattrs: new Map() });
    expect(rootfs.has('a/b')).toBe(true);
  });

  it('a directory over a non-directory replaces it', () => {
    expect(list(layer('a=1'), layer('a/', 'a/b=2'))).toEqual(['a/', 'a/b=2']);
    expect(list(layer('a=1', 'a/', 'a/b=2'))).toEqual(['a/', 'a/b=2']);
  });

  it('what a layer hid stays hidden when a later one makes the directory again', () => {
    expect(list(layer('a/', 'a/old=1'), layer('a=file'), layer('a/', 'a/new=2'))).toEqual(['a/', 'a/new=2']);
    expect(list(layer('a/', 'a/old=1'), layer('.wh.a'), layer('a/new=2'))).toEqual(['a/?', 'a/new=2']);
  });

  it('an entry below a lower non-directory makes a directory of it', () => {
    expect(list(layer('a=1'), layer('a/b=2'))).toEqual(['a/?', 'a/b=2']);
    expect(list(layer('a~>b', 'b/', 'b/x=1'), layer('a/y=2'))).toEqual(['a/?', 'a/y=2', 'b/', 'b/x=1']);
    expect(list(layer('a=1'), layer('a/.wh.b'))).toEqual(['a/?']);
  });

  it('an entry below a non-directory of its own layer is an error', () => {
    expect(reasonOf(layer('a=1', 'a/b=2'))).toBe('below-non-directory');
    expect(reasonOf(layer('a~>b', 'a/b/c=2'))).toBe('below-non-directory');
    expect(reasonOf(layer('a=1', 'a/.wh.b'))).toBe('below-non-directory');
    expect(reasonOf(layer('a=1', 'a/.wh..wh..opq'))).toBe('below-non-directory');
    expect(reasonOf(layer('t=1'), layer('a->t', 'a/b=2'))).toBe('below-non-directory');
    expect(reasonOf(layer('a=1', 'a/', 'a/b=2'))).toBe('valid');
    expect(reasonOf(layer('a=1', 'a/.wh..wh.aufs'))).toBe('valid');
  });

  it('knows where runtimes disagree', () => {
    const lower = applyLayers([layer('a/', 'a/b=1')]);
    expect(ambiguities(lower, layer('a=1', 'a/'))).toHaveLength(1);
    expect(ambiguities(lower, layer('.wh.a', 'a=1', 'a/'))).toEqual([]);
    expect(ambiguities(lower, layer('a/', 'a=1'))).toEqual([]);
    expect(ambiguities(lower, layer('c=1', 'c/'))).toEqual([]);
  });
});

describe('hard links', () => {
  it('bind to the entry of their layer, named from the root of the archive', () => {
    expect(list(layer('d/', 'd/t=1', 'd/l->d/t'))).toEqual(['d/', 'd/l=1 {d/l d/t}', 'd/t=1 {d/l d/t}']);
    expect(list(layer('d/', 't=root', 'd/t=1', 'd/l->t'))).toContain('d/l=root {d/l t}');
  });

  it('bind to what the name means at that point', () => {
    // echo 123 >t2; ln t2 t1; ln t2 t3; echo 456 >t1
    expect(list(layer('t2=123', 't1->t2', 't3->t2'), layer('t1=456'))).toEqual([
      't1=456',
      't2=123 {t2 t3}',
      't3=123 {t2 t3}',
    ]);
    expect(list(layer('t2=123', 't1->t2', 't3->t2', 't1=456'))).toEqual([
      't1=456',
      't2=123 {t2 t3}',
      't3=123 {t2 t3}',
    ]);
  });

  it('keep the earlier file of a name that comes twice', () => {
    expect(list(layer('t2=old', 't1->t2', 't2=new'))).toEqual(['t1=old', 't2=new']);
    expect(list(layer('t2=old', 't1->t2', 't2=new', 't3->t2'))).toEqual([
      't1=old',
      't2=new {t2 t3}',
      't3=new {t2 t3}',
    ]);
  });

  it('keep the data of a target that an upper layer deletes or replaces', () => {
    const base = layer('file=data', 'link->file');
    expect(list(base, layer('.wh.file'))).toEqual(['link=data']);
    expect(list(base, layer('file=other'))).toEqual(['file=other', 'link=data']);
    expect(list(base, layer('file/'))).toEqual(['file/', 'link=data']);
    expect(list(base, layer('.wh.link'))).toEqual(['file=data']);
  });

  it('reach into lower layers', () => {
    expect(list(layer('t=1'), layer('l->t'))).toEqual(['l=1 {l t}', 't=1 {l t}']);
    expect(list(layer('t=1'), layer('l->t'), layer('.wh.t'))).toEqual(['l=1']);
    expect(list(layer('t=old'), layer('l->t', 't=new'))).toEqual(['l=old', 't=new']);
    expect(list(layer('t=old'), layer('t=new', 'l->t'))).toEqual(['l=new {l t}', 't=new {l t}']);
  });

  it('make chains, over layers too', () => {
    const chain = list(layer('a=1', 'b->a'), layer('c->b', '.wh.a'), layer('d->c', '.wh.b'));
    expect(chain).toEqual(['c=1 {c d}', 'd=1 {c d}']);
  });

  it('share symlinks and fifos', () => {
    expect(list(layer('s~>x', 'l->s', '|f', 'g->f'))).toEqual([
      'f fifo {f g}',
      'g fifo {f g}',
      'l~>x {l s}',
      's~>x {l s}',
    ]);
  });

  it('have the metadata of the entry with the data', () => {
    const link: EntrySpec = { name: 'l', type: 'link', linkname: 't', mode: 0o777, uid: 9, mtime: '9' };
    const rootfs = applyLayers([layer({ name: 't', mode: 0o640, uid: 3, mtime: '5' }, link)]);
    expect(rootfs.get('l')).toBe(rootfs.get('t'));
    expect(rootfs.get('l')).toMatchObject({ mode: 0o640, uid: 3, mtime: '5' });
  });

  it('are not changed by a new entry for one of their names', () => {
    const rootfs = applyLayers([layer('a=1', 'b->a'), layer({ name: 'a', mode: 0o600, body: bytesOf('1') })]);
    expect(rootfs.get('b')?.mode).toBe(0o644);
    expect(rootfs.get('a')?.inode).not.toBe(rootfs.get('b')?.inode);
  });

  it('dangle where nothing has the name', () => {
    expect(reasonOf(layer('l->t'))).toBe('dangling-link');
    expect(reasonOf(layer('l->t', 't=1'))).toBe('dangling-link');
    expect(reasonOf(layer('t=1'), layer('.wh.t', 'l->t'))).toBe('dangling-link');
    expect(reasonOf(layer('t=1'), layer('l->t', '.wh.t'))).toBe('dangling-link');
    expect(reasonOf(layer('t=1'), layer('t->t'))).toBe('dangling-link');
    expect(reasonOf(layer('a/', 'a/t=1'), layer('a->a/t'))).toBe('dangling-link');
    expect(reasonOf(layer('d/', 'd/t=1', 'd/l->t'))).toBe('dangling-link');
    expect(reasonOf(layer('s~>d', 'd/', 'd/t=1', 'l->s/t'))).toBe('dangling-link');
    expect(reasonOf(layer('.wh..wh.plnk/1', 'l->.wh..wh.plnk/1'))).toBe('dangling-link');
    expect(reasonOf(layer('d/', 'l->d'))).toBe('link-to-directory');
  });
});

describe('names', () => {
  it('are one path in all their spellings', () => {
    for (const name of ['a/b', './a/b', '/a/b', 'a//b', 'a/./b', './/a/b', '//a/./b', 'a/b/', 'a/b/.']) {
      expect(normalise(name), name).toBe('a/b');
    }
    expect(list(layer('./a/', '/a/b=1', 'a//c->./a/b', './/a/./b=2'))).toEqual(['a/', 'a/b=2', 'a/c=1']);
    expect(list(layer('a/b=1'), layer('/a/.wh.b'))).toEqual(['a/?']);
  });

  it('are bytes: neither case nor normal form folds, and what is not UTF-8 passes', () => {
    const names = ['e\xcc\x81', '\xc3\xa9', '\xff\xfe', 'A', 'a', 'n\nl', '...', '..a'];
    const rootfs = applyLayers([layer(...names.map((name) => `${name}=1`))]);
    expect([...rootfs.keys()].sort()).toEqual(['', ...names].sort());
  });

  it('with .. are errors', () => {
    for (const name of ['..', '../a', 'a/../b', '/..', 'a/..']) {
      expect(reasonOf(layer({ name, body: bytesOf('x') })), name).toBe('parent-reference');
    }
    expect(reasonOf(layer('t=1', 'l->a/../t'))).toBe('parent-reference');
  });

  it('of the root give it attributes, and can be nothing but a directory', () => {
    const rootfs = applyLayers([layer({ name: './', type: 'dir', mode: 0o700 })]);
    expect(rootfs.get('')).toMatchObject({ implied: false, mode: 0o700 });
    expect(reasonOf(layer({ name: './', type: 'symlink', linkname: '/etc' }))).toBe('root-is-no-directory');
    expect(reasonOf(layer('a=1', { name: '/', type: 'link', linkname: 'a' }))).toBe('root-is-no-directory');
  });
});

describe('implied directories', () => {
  it('are 0755 of root, and get the attributes of an entry that comes later', () => {
    expect(applyLayers([layer('a/b/c=1')]).get('a/b')).toMatchObject({ implied: true, mode: 0o755, uid: 0 });
    const late = applyLayers([layer('a/b=1', { name: 'a/', type: 'dir', mode: 0o711 })]);
    expect(late.get('a')).toMatchObject({ implied: false, mode: 0o711 });
    expect(late.has('a/b')).toBe(true);
  });

  it('leave what a lower layer said', () => {
    const lower = layer({ name: 'a/', type: 'dir', mode: 0o700, uid: 7 });
    expect(applyLayers([lower, layer('a/b=1')]).get('a')).toMatchObject({
      implied: false,
      mode: 0o700,
      uid: 7,
    });
  });
});

describe('global headers', () => {
  it('are no entries', () => {
    expect(list(layer({ name: '', type: 'global', pax: [['comment', 'x']] }, 'a=1'))).toEqual(['a=1']);
  });
});

describe('diffRootfs', () => {
  const plain: EntrySpec = {
    name: 'f',
    mode: 0o644,
    uid: 1,
    gid: 2,
    uname: 'u',
    gname: 'g',
    mtime: '1.5',
    xattrs: { 'user.a': 'b' },
    body: bytesOf('data'),
  };
  const of = (...entries: Short[]): Rootfs => applyLayers([layer(...entries)]);

  it.each<[string, Partial<EntrySpec>, string]>([
    ['mode', { mode: 0o600 }, 'mode'],
    ['setuid', { mode: 0o4644 }, 'mode'],
    ['uid', { uid: 3 }, 'uid'],
    ['gid', { gid: 3 }, 'gid'],
    ['uname', { uname: 'v' }, 'uname'],
    ['gname', { gname: '' }, 'gname'],
    ['time', { mtime: '1.500000001' }, 'mtime'],
    ['xattr', { xattrs: { 'user.a': 'c' } }, 'xattr'],
    ['one xattr more', { xattrs: { 'user.a': 'b', 'user.c': 'd' } }, 'xattr'],
    ['no xattr', { xattrs: {} }, 'xattr'],
    ['content', { body: bytesOf('dat') }, 'content'],
    ['kind', { type: 'fifo', body: new Uint8Array(0) }, 'kind'],
  ])('sees the %s', (_, change, word) => {
    const lines = diffRootfs(of(plain), of({ ...plain, ...change }));
    expect(lines.some((line) => line.startsWith(`"f": ${word}`))).toBe(true);
    expect(diffRootfs(of(plain), of(plain))).toEqual([]);
  });

  it('sees paths, targets, devices and links', () => {
    expect(diffRootfs(of('a=1'), of('a=1', 'b=2'))).toHaveLength(1);
    expect(diffRootfs(of('a=1', 'b=2'), of('a=1'))).toHaveLength(1);
    expect(diffRootfs(of('a~>b'), of('a~>c'))).toHaveLength(1);
    const device = (devminor: number): EntrySpec => ({ name: 'd', type: 'char', devmajor: 1, devminor });
    expect(diffRootfs(of(device(3)), of(device(5)))).toHaveLength(1);
    expect(diffRootfs(of('a=1', 'b=1'), of('a=1', 'b->a'))).toHaveLength(2);
    expect(diffRootfs(of('a=1', 'b->a'), of('b=1', 'a->b'))).toEqual([]);
  });

  it('takes an implied directory for the plain one, and no other', () => {
    const implied = of('d/f');
    expect(diffRootfs(implied, of('d/f'))).toEqual([]);
    expect(diffRootfs(implied, of({ name: 'd/', type: 'dir', mtime: '77' }, 'd/f'))).toEqual([]);
    for (const change of [{ mode: 0o700 }, { uid: 1 }, { gid: 1 }, { xattrs: { 'user.a': 'b' } }]) {
      const other = of({ name: 'd/', type: 'dir', ...change }, 'd/f');
      expect(diffRootfs(implied, other)).toHaveLength(1);
      expect(diffRootfs(other, implied)).toHaveLength(1);
    }
    expect(
      diffRootfs(of({ name: 'd/', type: 'dir' }), of({ name: 'd/', type: 'dir', mtime: '1' })),
    ).toHaveLength(1);
  });

  it('finds nothing between a stack and itself, however its entries are spelled and encoded', () => {
    fc.assert(
      fc.property(layerStack({ without: ['global header'] }), ({ layers }) => {
        const plainer = layers.map(({ entries }) =>
          readTar(
            writeTar(
              entries.map((spec): EntrySpec => {
                const slash = spec.type === 'dir' ? '/' : '';
                const linkname = spec.type === 'link' ? { linkname: normalise(spec.linkname ?? '') } : {};
                const format = spec.sparse?.format === 'gnu' ? 'gnu' : 'pax';
                return { ...spec, ...linkname, name: `./${normalise(spec.name)}${slash}`, format };
              }),
            ),
          ),
        );
        expect(diffRootfs(applyLayers(layers.map(({ model }) => model)), applyLayers(plainer))).toEqual([]);
      }),
      { numRuns: 100 },
    );
  });
});

describe('removePaths and keepPaths', () => {
  const rootfs = applyLayers([layer('a/', 'a/b=1', 'a/c->a/b', 'd/e/f=2')]);

  it('take whole subtrees', () => {
    expect([...removePaths(rootfs, (path) => path === 'a').keys()].sort()).toEqual(['', 'd', 'd/e', 'd/e/f']);
    expect([...removePaths(rootfs, (_, node) => node.kind === 'file').keys()].sort()).toEqual([
      '',
      'a',
      'd',
      'd/e',
    ]);
    expect([...removePaths(rootfs, () => true).keys()]).toEqual(['']);
  });

  it('keep the directories above', () => {
    expect([...keepPaths(rootfs, (path) => path === 'd/e/f').keys()].sort()).toEqual([
      '',
      'd',
      'd/e',
      'd/e/f',
    ]);
  });

  it('are each other’s opposite', () => {
    fc.assert(
      fc.property(layerStack(), fc.nat(), ({ layers }, choice) => {
        const all = applyLayers(layers.map(({ model }) => model));
        const paths = [...all.keys()];
        const top = paths[choice % paths.length] ?? '';
        const left = removePaths(all, (path) => path === top);
        for (const path of paths)
          expect(left.has(path)).toBe(path === '' || (path !== top && !isBelow(path, top)) || top === '');
        expect(diffRootfs(all, left).length > 0).toBe(top !== '');
      }),
      { numRuns: 50 },
    );
  });

  it('can be shown', () => {
    expect(describeRootfs(rootfs)).toContain('"a/b" [3] file 0644 0:0 mtime 0 "1 bytes @0 1"');
  });
});
