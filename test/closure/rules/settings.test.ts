import { describe, expect, it } from 'vitest';
import { confDRule } from '../../../src/closure/rules/conf-d.ts';
import { apacheRule, nginxRule } from '../../../src/closure/rules/web-server.ts';
import { elf, symlink } from '../rig.ts';
import { saysOf, stays } from './stays.ts';

describe('conf-d', () => {
  const image = {
    'etc/nginx/conf.d/default.conf': 'x',
    'etc/nginx/conf.d/sub/more.conf': 'x',
    'etc/nginx/sites-enabled/site': symlink('../sites-available/site'),
    'etc/nginx/sites-available/site': 'x',
    'etc/nginx/sites-available/spare': 'x',
    'docker-entrypoint.d/10-listen.sh': 'x',
    'app/migrations/1.sql': 'x',
    'app/src/main.c': 'x',
    'usr/lib/python3/dist-packages/plugins/a.py': 'x',
    'usr/bin/tool': 'x',
  };

  it.each([
    ['etc/nginx/conf.d', ['etc/nginx/conf.d/default.conf', 'etc/nginx/conf.d/sub/more.conf']],
    ['etc/nginx/sites-enabled', ['etc/nginx/sites-available/site', 'etc/nginx/sites-enabled/site']],
    ['docker-entrypoint.d', ['docker-entrypoint.d/10-listen.sh']],
    ['app/migrations', ['app/migrations/1.sql']],
  ])('keeps all contents of %s if it was listed', async (path, kept) => {
    expect(await stays(confDRule, image, { trace: { [path]: 'list' } })).toEqual(kept);
    expect(await stays(confDRule, image, { trace: { [path]: 'stat' } })).toEqual([]);
  });

  it.each(['usr/bin', 'app/src', 'etc/nginx', 'usr/lib/python3/dist-packages/plugins'])(
    'keeps nothing of %s, which is not a directory of settings',
    async (path) => {
      expect(await stays(confDRule, image, { trace: { [path]: 'list' } })).toEqual([]);
    },
  );

  it('names the directory in the reason', async () => {
    expect(
      await saysOf(confDRule, image, 'etc/nginx/conf.d/default.conf', {
        trace: { 'etc/nginx/conf.d': 'list' },
      }),
    ).toBe('conf-d: in /etc/nginx/conf.d, which was listed: programs use all files in it');
  });
});

describe('nginx and apache', () => {
  it('keep the modules that their settings load', async () => {
    const nginx = {
      'etc/nginx/nginx.conf':
        '# load_module modules/ngx_mail.so;\nload_module modules/ngx_stream.so;\nhttp {}\n',
      'etc/nginx/modules': symlink('/usr/lib/nginx/modules'),
      'usr/lib/nginx/modules/ngx_stream.so': elf(),
      'usr/lib/nginx/modules/ngx_mail.so': elf(),
    };
    expect(await stays(nginxRule, nginx, { want: ['etc/nginx/nginx.conf'] })).toEqual([
      'etc/nginx/modules',
      'etc/nginx/nginx.conf',
      'usr/lib/nginx/modules/ngx_stream.so',
    ]);
    const apache = {
      'etc/apache2/mods-enabled/proxy.load': symlink('../mods-available/proxy.load'),
      'etc/apache2/mods-available/proxy.load':
        'LoadModule proxy_module /usr/lib/apache2/modules/mod_proxy.so\n',
      'usr/local/apache2/conf/httpd.conf':
        '#LoadModule dav_module modules/mod_dav.so\nLoadModule ssl_module modules/mod_ssl.so\n',
      'usr/lib/apache2/modules/mod_proxy.so': elf(),
      'usr/local/apache2/modules/mod_ssl.so': elf(),
      'usr/local/apache2/modules/mod_dav.so': elf(),
    };
    expect(
      await stays(apacheRule, apache, {
        want: ['etc/apache2/mods-enabled/proxy.load', 'usr/local/apache2/conf/httpd.conf'],
      }),
    ).toEqual(
      Object.keys(apache)
        .filter((path) => !path.includes('mod_dav'))
        .sort(),
    );
  });
});
