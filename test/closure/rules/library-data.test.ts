import { describe, expect, it } from 'vitest';
import { bundleRule, erlangRule } from '../../../src/closure/rules/bundle.ts';
import { libraryDataRule } from '../../../src/closure/rules/library-data.ts';
import { elf, file, type Table } from '../rig.ts';
import { stays } from './stays.ts';

const granularity = 'package';

describe('the data of', () => {
  it.each([
    ['usr/lib/libmagic.so.1.0.0', 'usr/lib/file/magic.mgc'],
    ['usr/lib/libtinfo.so.6', 'lib/terminfo/x/xterm'],
    ['usr/lib/libgio-2.0.so.0', 'usr/share/mime/mime.cache'],
    ['usr/lib/python3.13/mimetypes.py', 'etc/mime.types'],
    ['usr/lib/python3.11/mailcap.py', 'etc/mailcap'],
  ])('%s stay (%s), except at the granularity file and where they are large', async (reader, data) => {
    const image = { [reader]: 'x', [data]: 'x', 'usr/share/other': 'x' };
    expect(await stays(libraryDataRule, image, { want: [reader], granularity })).toEqual(
      [data, reader].sort(),
    );
    expect(await stays(libraryDataRule, image, { want: [reader] })).toEqual([reader]);
    const large = { ...image, [data]: file(5_000_000) };
    if (data.includes('/x/'))
      expect(await stays(libraryDataRule, large, { want: [reader], granularity })).toEqual([reader]);
  });
});

it.each(['usr/local/bin/_internal/', 'usr/local/bin/'])(
  'a program of PyInstaller keeps its folder, %s',
  async (folder) => {
    const image: Table = {
      'usr/local/bin/app': elf(),
      [`${folder}base_library.zip`]: 'x',
      [`${folder}numpy/core.so`]: elf(),
      'usr/local/share/other': 'x',
    };
    const want = ['usr/local/bin/app'];
    expect(await stays(bundleRule, image, { want, granularity })).toEqual(
      ['usr/local/bin/app', `${folder}base_library.zip`, `${folder}numpy/core.so`].sort(),
    );
    expect(await stays(bundleRule, image, { want })).toEqual(want);
  },
);

it('a module of Erlang keeps its application, and those that this names', async () => {
  const image: Table = {
    'srv/lib/mine-1.0/ebin/mine.app': '{application,mine,[{applications,[kernel,\n ssl]},{vsn,"1.0"}]}.',
    'srv/lib/mine-1.0/ebin/mine.beam': 'x',
    'srv/lib/mine-1.0/ebin/rare.beam': 'x',
    'srv/lib/mine-1.0/priv/data': 'x',
    'usr/lib/erlang/lib/ssl-11.1/ebin/ssl.app': '{application,ssl,[{applications,[crypto]}]}.',
    'usr/lib/erlang/lib/ssl-11.1/ebin/ssl.beam': 'x',
    'usr/lib/erlang/lib/crypto-5.0/ebin/crypto.app': '{application,crypto,[]}.',
    'usr/lib/erlang/lib/wx-2.0/ebin/wx.app': '{application,wx,[]}.',
  };
  const want = ['srv/lib/mine-1.0/ebin/mine.beam'];
  const all = Object.keys(image).filter((path) => !path.includes('/wx-'));
  expect(await stays(erlangRule, image, { want, granularity })).toEqual(all.sort());
  expect(await stays(erlangRule, image, { want })).toEqual(want);
});
