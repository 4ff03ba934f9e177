import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { noDetails } from '../../../src/rootfs/packages/package.ts';
import { python } from '../../../src/rootfs/packages/python.ts';
import { readRecord } from '../../../src/rootfs/packages/python-record.ts';
import { type Files, imageOf, packagesIn } from './rig.ts';
import { b } from '../../support/bytes.ts';

/** Made by pip: see fixtures/python/build.sh. */
const fixture = (name: string): string =>
  readFileSync(new URL(`../../../fixtures/python/${name}`, import.meta.url), 'latin1');

const read = (files: Files): Promise<string[]> => packagesIn(python, files);

describe('Python distributions', () => {
  it('that pip installs have all files that pip wrote', async () => {
    const paths = fixture('files.txt').trimEnd().split('\n');
    const record = 'venv/lib/python3/site-packages/Parcel_Post-1.2.dist-info/RECORD';
    const { fs, facts } = await imageOf({
      ...Object.fromEntries(
        [...paths, 'venv/bin/python', 'venv/lib/python3/site-packages/other.py'].map((path) => [path, 'x']),
      ),
      [record]: fixture('RECORD'),
    });
    expect(python.read(fs, facts)).toEqual({
      packages: [
        { kind: 'python', name: 'Parcel_Post', version: '1.2', files: paths.toSorted(), details: noDetails },
      ],
      unread: [],
    });
  });

  it('are found through symlinks, and by absolute names', async () => {
    expect(
      await read({
        'usr/local/lib/python3/site-packages/a-1.dist-info/RECORD':
          'a.py,,\nlink/b.py,,\n/opt/c.py,,\n/usr/local/lib/python3/site-packages/gone.py,,\n',
        'usr/local/lib/python3/site-packages/a.py': 'x',
        'usr/local/lib/python3/site-packages/link': { link: '/srv' },
        'srv/b.py': 'x',
        'opt/c.py': 'x',
      }),
    ).toEqual(['python a 1: opt/c.py srv/b.py usr/local/lib/python3/site-packages/a.py']);
  });

  it('of setuptools have a list in their metadata', async () => {
    expect(
      await read({
        'opt/lib/old-2.0-py3.9.egg-info/installed-files.txt': '../old/__init__.py\n../../bin/old\nPKG-INFO\n',
        'opt/lib/old-2.0-py3.9.egg-info/PKG-INFO': 'Name: old\n',
        'opt/lib/old/__init__.py': 'x',
        'opt/lib/old/other.py': 'x',
        'opt/bin/old': 'x',
      }),
    ).toEqual([
      'python old 2.0: opt/bin/old opt/lib/old-2.0-py3.9.egg-info/PKG-INFO opt/lib/old/__init__.py',
    ]);
  });

  it('without a list have the files below their top-level names', async () => {
    expect(
      await read({
        'srv/app/src/tool.egg-info/PKG-INFO': 'Name: tool\n',
        'srv/app/src/tool.egg-info/SOURCES.txt': 'setup.py\nextra.txt\n\n',
        'srv/app/src/tool.egg-info/top_level.txt': 'tool\nsingle\n../../etc\n..\nnothing\n',
        'srv/app/src/extra.txt': 'x',
        'srv/app/src/single.py': 'x',
        'srv/app/src/tool/__init__.py': 'x',
        'srv/app/src/tool/deep/data.json': 'x',
        'srv/app/etc/x': 'x',
        'srv/etc/passwd': 'x',
      }),
    ).toEqual([
      'python tool null: ' +
        [
          'srv/app/src/extra.txt',
          'srv/app/src/single.py',
          'srv/app/src/tool.egg-info/PKG-INFO',
          'srv/app/src/tool.egg-info/SOURCES.txt',
          'srv/app/src/tool.egg-info/top_level.txt',
          'srv/app/src/tool/__init__.py',
          'srv/app/src/tool/deep/data.json',
        ].join(' '),
    ]);
  });

  it('that a Linux distribution packages are in its own database', async () => {
    expect(
      await read({
        'usr/lib/python3/dist-packages/six-1.16.0.egg-info/PKG-INFO': 'Name: six\n',
        'usr/lib/python3/dist-packages/six-1.16.0.egg-info/top_level.txt': 'six\n',
        'usr/lib/python3/dist-packages/six.py': 'x',
        'usr/lib/python3/dist-packages/attr-1.dist-info/METADATA': 'Name: attr\n',
        'usr/lib/python3/dist-packages/one.egg-info': 'Name: one\n',
      }),
    ).toEqual([]);
  });
});

describe('RECORD', () => {
  it.each([
    ['', []],
    ['a,sha256=x,1\r\nb,,\rc', ['a', 'b', 'c']],
    ['"a,b",,\n"c""d",x,1\n', ['a,b', 'c"d']],
    ['"two\nlines",,\n', ['two\nlines']],
    ['a,"x\ny",1\nb,,\n', ['a', 'b']],
    ['\n\n,x,1\na', ['a']],
    ['"never closed,,\nb', ['never closed,,\nb']],
    ['""""', ['"']],
  ])('%j names %j', (text, names) => {
    expect(readRecord(b(text))).toEqual(names);
  });
});
