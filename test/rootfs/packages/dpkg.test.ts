import { describe, expect, it } from 'vitest';
import { dpkg } from '../../../src/rootfs/packages/dpkg.ts';
import { type Files, imageOf, packagesIn, show } from './rig.ts';

const read = (files: Files): Promise<string[]> => packagesIn(dpkg, files);

const status = [
  'Package: libzip:\n',
  'Package: libz1\nStatus: install ok installed\nArchitecture: amd64\nMulti-Arch: same\nVersion: 1:1.2-3\nDescription: x\n Version: 9\n',
  'Package: libz1\nStatus: install ok installed\nArchitecture: i386\nVersion: 1:1.2-4\n',
  'Package: tool\nArchitecture: all\nVersion: 7\n',
].join('\n');

describe('the database of dpkg', () => {
  it('has a list for each package, and the versions in its status', async () => {
    expect(
      await read({
        'var/lib/dpkg/status': status,
        'var/lib/dpkg/info/libz1:amd64.list':
          '/.\n/usr\n/usr/lib\n/usr/lib/libz.so.1\n/usr/lib/libz.so.1.2\n/gone\n',
        'var/lib/dpkg/info/libz1:i386.list': '/usr/lib32/libz.so.1\n',
        'var/lib/dpkg/info/tool.list': '/usr/bin/tool',
        'var/lib/dpkg/info/tool.postinst': '/usr/bin/other\n',
        'var/lib/dpkg/info/odd.list': '',
        'usr/lib/libz.so.1': { link: 'libz.so.1.2' },
        'usr/lib/libz.so.1.2': 'x',
        'usr/lib32/libz.so.1': 'x',
        'usr/bin/tool': 'x',
        'usr/bin/other': 'x',
      }),
    ).toEqual([
      'dpkg libz1:amd64 1:1.2-3: usr/lib/libz.so.1 usr/lib/libz.so.1.2',
      'dpkg libz1:i386 1:1.2-4: usr/lib32/libz.so.1',
      'dpkg odd null: ',
      'dpkg tool 7: usr/bin/tool',
    ]);
  });

  it('names files as they were before /lib became a link', async () => {
    expect(
      await read({
        'var/lib/dpkg/info/libz1.list':
          '/lib\n/lib/libz.so\n/lib/../usr/lib/libz.so\n/usr/lib/y\n/lib/sub/z\n',
        lib: { link: 'usr/lib' },
        'usr/lib/libz.so': 'x',
        'usr/lib/y': 'x',
        'usr/lib/sub': { link: '/opt' },
        'opt/z': 'x',
      }),
    ).toEqual(['dpkg libz1 null: lib opt/z usr/lib/libz.so usr/lib/y']);
  });

  it('may have moved a file away for another package, or for the administrator', async () => {
    expect(
      await read({
        'var/lib/dpkg/diversions': '/bin/sh\n/bin/sh.distrib\ndash\n/bin/vi\n/bin/vi.old\n:\n/half\n',
        'var/lib/dpkg/info/bash.list': '/bin/sh\n/bin/bash\n',
        'var/lib/dpkg/info/dash.list': '/bin/sh\n',
        'var/lib/dpkg/info/vim.list': '/bin/vi\n',
        'bin/sh': 'x',
        'bin/sh.distrib': 'x',
        'bin/bash': 'x',
        'bin/vi': 'mine',
        'bin/vi.old': 'x',
      }),
    ).toEqual([
      'dpkg bash null: bin/bash bin/sh.distrib',
      'dpkg dash null: bin/sh',
      'dpkg vim null: bin/vi.old',
    ]);
  });

  it('is a directory of stanzas and checksums in distroless images', async () => {
    expect(
      await read({
        'var/lib/dpkg/status.d/tzdata': 'Package: tzdata\nVersion: 2024a\nArchitecture: all\n',
        'var/lib/dpkg/status.d/tzdata.md5sums':
          '0123456789abcdef0123456789abcdef  usr/share/zoneinfo/UTC\n0123456789abcdef0123456789abcdef  usr/share/two words\n',
        'var/lib/dpkg/status.d/base': 'Package: base-files\nVersion: 12\n',
        'usr/share/zoneinfo/UTC': 'x',
        'usr/share/two words': 'x',
      }),
    ).toEqual(['dpkg base-files 12: ', 'dpkg tzdata 2024a: usr/share/two words usr/share/zoneinfo/UTC']);
  });

  it('is named as unread if its contents are not known', async () => {
    const { fs, facts } = await imageOf({ 'var/lib/dpkg/info/a.list': '/a\n', a: 'x' });
    const { packages, unread } = dpkg.read(fs, { ...facts, contents: () => null });
    expect(show(packages)).toEqual(['dpkg a null: ']);
    expect(unread).toEqual([{ path: 'var/lib/dpkg/info/a.list', why: 'its contents are not known' }]);
  });

  it('has empty files, of which a scan keeps nothing', async () => {
    const { fs, facts } = await imageOf({ 'var/lib/dpkg/diversions': '', 'var/lib/dpkg/info/a.list': '\n' });
    const { packages, unread } = dpkg.read(fs, { ...facts, contents: () => null });
    expect(show(packages)).toEqual(['dpkg a null: ']);
    expect(unread).toEqual([]);
  });
});
