import { describe, expect, it } from 'vitest';
import { closeOver } from '../../../src/closure/closure.ts';
import { inventoryRule } from '../../../src/closure/rules/inventory.ts';
import { packageRule } from '../../../src/closure/rules/package.ts';
import { inputOf, kept, keptFiles, symlink, type Table, wanting } from '../rig.ts';
import { p } from '../../support/bytes.ts';

const debian: Table = {
  'etc/os-release': symlink('../usr/lib/os-release'),
  'usr/lib/os-release': 'x',
  'etc/debian_version': 'x',
  'etc/issue': 'x',
  'usr/share/doc/zip/copyright': 'x',
  'usr/share/doc/zip/README': 'x',
  'usr/share/doc/libzip': symlink('zip'),
  'usr/share/doc/nothing/README': 'x',
  'usr/share/common-licenses/GPL': symlink('GPL-3'),
  'usr/share/common-licenses/GPL-3': 'x',
  'var/lib/dpkg/status': 'x',
  'var/lib/dpkg/status-old': 'x',
  'var/lib/dpkg/available': 'x',
  'var/lib/dpkg/info/zip.list': '/usr/bin/zip\n',
  'var/lib/dpkg/info/zip.postinst': 'x',
  'usr/bin/zip': 'x',
};

describe('the inventory', () => {
  it('of a Debian image is its database, its version, and the licences', async () => {
    const input = await inputOf({ image: debian });
    const closure = closeOver(input, [inventoryRule]);
    expect(keptFiles(closure, input)).toEqual([
      'etc/debian_version',
      'etc/os-release',
      'usr/lib/os-release',
      'usr/share/common-licenses/GPL',
      'usr/share/common-licenses/GPL-3',
      'usr/share/doc/libzip',
      'usr/share/doc/zip/copyright',
      'var/lib/dpkg/info/zip.list',
      'var/lib/dpkg/info/zip.postinst',
      'var/lib/dpkg/status',
    ]);
    for (const path of keptFiles(closure, input)) expect(closure.strengthOf(p(path))).toBe('courtesy');
  });

  it('stays a courtesy in a package that is whole', async () => {
    const image = {
      ...debian,
      'var/lib/dpkg/info/base.list': '/usr/lib/os-release\n/etc/issue\n/usr/share/doc/zip/copyright\n',
    };
    const closure = closeOver(await inputOf({ image, granularity: 'package' }), [
      wanting('etc/issue'),
      packageRule,
      inventoryRule,
    ]);
    expect(closure.strengthOf(p('usr/lib/os-release'))).toBe('courtesy');
    expect(closure.strengthOf(p('usr/share/doc/zip/copyright'))).toBe('courtesy');
  });

  it('of other systems is their database and their SBOMs', async () => {
    const image: Table = {
      'lib/apk/db/installed': '',
      'lib/apk/db/scripts.tar': 'x',
      'etc/apk/world': 'x',
      'etc/apk/keys/a.pub': 'x',
      'usr/lib/sysimage/rpm/rpmdb.sqlite': 'x',
      'var/lib/rpm': symlink('../../usr/lib/sysimage/rpm'),
      'usr/share/licenses/zlib/COPYING': 'x',
      'var/lib/db/sbom/app.spdx.json': 'x',
      'var/lib/dnf/history.sqlite': 'x',
    };
    expect(await kept({ image }, [inventoryRule])).toEqual([
      'etc/apk/world',
      'lib/apk/db/installed',
      'lib/apk/db/scripts.tar',
      'usr/lib/sysimage/rpm/rpmdb.sqlite',
      'usr/share/licenses/zlib/COPYING',
      'var/lib/db/sbom/app.spdx.json',
      'var/lib/rpm',
    ]);
  });

  it('has the metadata of those packages of languages of which a file stays', async () => {
    const site = 'usr/lib/python3.12/site-packages';
    const image: Table = {
      [`${site}/a-1.dist-info/RECORD`]: ['RECORD', 'METADATA', 'LICENSE', 'licenses/x/NOTICE', 'WHEEL']
        .map((name) => `a-1.dist-info/${name},,\n`)
        .concat('a.py,,\n')
        .join(''),
      [`${site}/a-1.dist-info/METADATA`]: 'x',
      [`${site}/a-1.dist-info/LICENSE`]: 'x',
      [`${site}/a-1.dist-info/licenses/x/NOTICE`]: 'x',
      [`${site}/a-1.dist-info/WHEEL`]: 'x',
      [`${site}/a.py`]: 'x',
      [`${site}/b-1.dist-info/RECORD`]: 'b-1.dist-info/METADATA,,\nb.py,,\n',
      [`${site}/b-1.dist-info/METADATA`]: 'x',
      [`${site}/b.py`]: 'x',
      'app/node_modules/c/package.json': '{}',
      'app/node_modules/c/lib/license.js': 'x',
      'app/node_modules/c/LICENCE': 'x',
      'app/node_modules/c/index.js': 'x',
      'app/node_modules/d/package.json': '{}',
      'app/vendor/composer/installed.json': '[]',
      'app/vendor/own/e/composer.json': '{}',
      'app/vendor/own/e/LICENSE': 'x',
      'app/vendor/own/e/src/vendor/x/License.php': 'x',
      'app/vendor/own/e/src/E.php': 'x',
      'conda/conda-meta/f-1.json': '{"name":"f","files":["lib/f.so"]}',
      'conda/lib/f.so': 'x',
      'gems/specifications/r-1.gemspec': 'x',
      'gems/gems/r-1/MIT-LICENSE': 'x',
      'gems/gems/r-1/LICENSE.txt': 'x',
      'gems/gems/r-1/lib/license.rb': 'x',
      'gems/gems/r-1/lib/r.rb': 'x',
    };
    expect(
      await kept({ image }, [
        wanting(
          `${site}/a.py`,
          'app/node_modules/c/index.js',
          'gems/gems/r-1/lib/r.rb',
          'app/vendor/own/e/src/E.php',
          'conda/lib/f.so',
        ),
        inventoryRule,
      ]),
    ).toEqual(
      [
        'app/node_modules/c/LICENCE',
        'app/node_modules/c/index.js',
        'app/node_modules/c/package.json',
        'app/vendor/own/e/LICENSE',
        'app/vendor/own/e/composer.json',
        'app/vendor/own/e/src/E.php',
        'conda/conda-meta/f-1.json',
        'conda/lib/f.so',
        'gems/gems/r-1/LICENSE.txt',
        'gems/gems/r-1/lib/r.rb',
        'gems/gems/r-1/MIT-LICENSE',
        'gems/specifications/r-1.gemspec',
        `${site}/a-1.dist-info/LICENSE`,
        `${site}/a-1.dist-info/METADATA`,
        `${site}/a-1.dist-info/licenses/x/NOTICE`,
        `${site}/a.py`,
      ].sort(),
    );
  });
});
