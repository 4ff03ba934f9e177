import { describe, expect, it } from 'vitest';
import { bundleRule, erlangRule } from '../../../src/closure/rules/bundle.ts';
import { libraryDataRule } from '../../../src/closure/rules/library-data.ts';
import { b } from '../../support/bytes.ts';
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
    // The paths of Debian's libmagic-mgc, ncurses-base, media-types and mailcap, and those of Alpine and Fedora.
    ['usr/lib/x86_64-linux-gnu/libmagic.so.1', 'usr/share/misc/magic.mgc'],
    ['usr/lib/x86_64-linux-gnu/libncursesw.so.6', 'usr/lib/terminfo/x/xterm'],
    ['usr/lib/libncursesw.so.6', 'etc/terminfo/x/xterm-color'],
    ['usr/lib64/libtinfo.so.6', 'usr/share/terminfo/x/xterm'],
    ['usr/lib/apache2/modules/mod_mime.so', 'etc/mime.types'],
    ['usr/lib/python3.13/mimetypes.py', 'etc/apache2/mime.types'],
    ['usr/lib/x86_64-linux-gnu/libQt6Core.so.6', 'usr/share/mime/globs2'],
    ['usr/bin/run-mailcap', 'etc/mailcap'],
    ['usr/share/perl5/Mail/Cap.pm', 'etc/mailcap'],
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

it('a program that names a table of MIME types, as Go does, keeps the tables', async () => {
  const image = {
    'app/server': { ...elf(), mentions: [b('etc/mime.types')] },
    'etc/mime.types': 'x',
    'usr/share/mime/globs2': 'x',
    'usr/share/mime/mime.cache': 'x',
  };
  const want = ['app/server'];
  expect(await stays(libraryDataRule, image, { want, granularity })).toEqual([
    'app/server',
    'etc/mime.types',
    'usr/share/mime/globs2',
  ]);
  expect(await stays(libraryDataRule, image, { want })).toEqual(want);
});

it('the environment may name descriptions of terminals and types of files', async () => {
  const image = { 'opt/t/x/xterm': 'x', 'opt/u/x/xterm': 'x', 'opt/magic': 'x', 'opt/other': 'x' };
  const environment = { TERMINFO: '/opt/t', TERMINFO_DIRS: '/opt/u::/nowhere', MAGIC: '/opt/magic' };
  expect(await stays(libraryDataRule, image, { environment })).toEqual([
    'opt/magic',
    'opt/t/x/xterm',
    'opt/u/x/xterm',
  ]);
});

it('a program without a reader of such data keeps none of them', async () => {
  const image = {
    'usr/bin/app': elf(),
    'usr/lib/perl5/MIME/Types.pm': 'x',
    'etc/mime.types': 'x',
    'etc/mailcap': 'x',
  };
  const want = ['usr/bin/app', 'usr/lib/perl5/MIME/Types.pm'];
  expect(await stays(libraryDataRule, image, { want, granularity })).toEqual(want);
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
