import { expect, it } from 'vitest';
import { directoryRule } from '../../../src/closure/rules/directory.ts';
import { kept, symlink, type Table, wanting } from '../rig.ts';

const image: Table = {
  'etc/app/app.conf': 'x',
  'etc/app/other.conf': symlink('../common/conf'),
  'etc/app/conf.d/extra': 'x',
  'etc/app/empty/': '',
  'etc/common/conf': 'x',
  'etc/common/beside': 'x',
  'etc/passwd': 'x',
  lib: symlink('usr/lib'),
  'usr/lib/': '',
  top: 'x',
};

it('granularity directory keeps the files beside a needed one, but neither subdirectories nor what those files would add', async () => {
  expect(
    await kept({ image, granularity: 'directory' }, [wanting('etc/app/app.conf'), directoryRule]),
  ).toEqual(['etc/app/app.conf', 'etc/app/other.conf', 'etc/common/conf']);
});

it('granularity directory keeps the files beside a needed one in the root', async () => {
  expect(await kept({ image, granularity: 'directory' }, [wanting('top'), directoryRule])).toEqual([
    'lib',
    'top',
  ]);
});

it('granularity directory does not spread from a needed directory, nor from a link to one', async () => {
  expect(
    await kept({ image, granularity: 'directory' }, [wanting('etc/app/empty', 'lib'), directoryRule]),
  ).toEqual(['lib']);
});

it.each(['file', 'package'] as const)(
  'granularity %s does not keep files beside a needed one',
  async (granularity) => {
    expect(await kept({ image, granularity }, [wanting('etc/app/app.conf'), directoryRule])).toEqual([
      'etc/app/app.conf',
    ]);
  },
);
