import { describe, expect, it } from 'vitest';
import { perlRule } from '../../../src/closure/rules/perl.ts';
import { phpRule } from '../../../src/closure/rules/php.ts';
import { rubyRule } from '../../../src/closure/rules/ruby.ts';
import { elf } from '../rig.ts';
import { stays } from './stays.ts';

const without = (image: object, pattern: RegExp): string[] =>
  Object.keys(image)
    .filter((path) => !pattern.test(path))
    .sort();

describe('ruby', () => {
  const gems = 'usr/local/bundle';
  const core = 'usr/local/lib/ruby';
  const image = {
    'usr/local/bin/ruby': elf(),
    'usr/local/bin/other': elf(),
    [`${core}/3.3.0/x86_64-linux/rbconfig.rb`]: 'x',
    [`${core}/3.3.0/x86_64-linux/enc/encdb.so`]: elf(),
    [`${core}/3.3.0/x86_64-linux/enc/big5.so`]: elf(),
    [`${core}/3.3.0/rubygems.rb`]: 'x',
    [`${core}/3.3.0/rubygems/errors.rb`]: 'x',
    [`${core}/3.3.0/rubygems/installer.rb`]: 'x',
    [`${core}/3.3.0/rubygems/core_ext/kernel_require.rb`]: 'x',
    [`${core}/gems/3.3.0/specifications/default/json-2.7.gemspec`]: 'x',
    [`${core}/gems/3.3.0/specifications/rbs-3.4.gemspec`]: 'x',
    [`${gems}/gems/rack-3.0.8/lib/rack.rb`]: 'x',
    [`${gems}/gems/rack-3.0.8/lib/rack/utils.rb`]: 'x',
    [`${gems}/specifications/rack-3.0.8.gemspec`]: 'x',
    [`${gems}/gems/puma-6.4/lib/puma/puma_http11.so`]: elf(),
    [`${gems}/specifications/puma-6.4.gemspec`]: 'x',
    [`${gems}/extensions/x86_64-linux/3.3.0/puma-6.4/gem.build_complete`]: '',
    [`${gems}/extensions/x86_64-linux/3.3.0/puma-6.4/mkmf.log`]: 'x',
  };

  it('keeps the specification of a gem, and the mark that its extension was built', async () => {
    expect(await stays(rubyRule, image, { want: [`${gems}/gems/rack-3.0.8/lib/rack.rb`] })).toEqual([
      `${gems}/gems/rack-3.0.8/lib/rack.rb`,
      `${gems}/specifications/rack-3.0.8.gemspec`,
    ]);
    expect(await stays(rubyRule, image, { want: [`${gems}/gems/puma-6.4/lib/puma/puma_http11.so`] })).toEqual(
      [
        `${gems}/extensions/x86_64-linux/3.3.0/puma-6.4/gem.build_complete`,
        `${gems}/gems/puma-6.4/lib/puma/puma_http11.so`,
        `${gems}/specifications/puma-6.4.gemspec`,
      ],
    );
  });

  it('keeps the files that Ruby needs to start', async () => {
    expect(await stays(rubyRule, image, { want: ['usr/local/bin/ruby'] })).toEqual([
      'usr/local/bin/ruby',
      `${core}/3.3.0/x86_64-linux/enc/encdb.so`,
      `${core}/3.3.0/x86_64-linux/rbconfig.rb`,
    ]);
    expect(await stays(rubyRule, image, { want: ['usr/local/bin/other'] })).toEqual(['usr/local/bin/other']);
  });

  it('keeps the parts of RubyGems that load late, and all of it unless the granularity is file', async () => {
    const want = [`${core}/3.3.0/rubygems.rb`];
    const late = [
      `${core}/3.3.0/rubygems.rb`,
      `${core}/3.3.0/rubygems/core_ext/kernel_require.rb`,
      `${core}/3.3.0/rubygems/errors.rb`,
      `${core}/gems/3.3.0/specifications/default/json-2.7.gemspec`,
    ];
    expect(await stays(rubyRule, image, { want })).toEqual(late);
    expect(await stays(rubyRule, image, { want, granularity: 'package' })).toEqual(
      [...late, `${core}/3.3.0/rubygems/installer.rb`].sort(),
    );
  });

  it('finds the same files at the places of Debian', async () => {
    const debian = {
      'usr/bin/ruby3.1': elf(),
      'usr/lib/x86_64-linux-gnu/ruby/3.1.0/rbconfig.rb': 'x',
      'usr/lib/x86_64-linux-gnu/ruby/3.1.0/date_core.so': elf(),
      'usr/lib/ruby/vendor_ruby/rubygems.rb': 'x',
      'usr/lib/ruby/vendor_ruby/rubygems/errors.rb': 'x',
      'usr/lib/ruby/gems/3.1.0/specifications/default/json-2.6.gemspec': 'x',
    };
    expect(
      await stays(rubyRule, debian, { want: ['usr/bin/ruby3.1', 'usr/lib/ruby/vendor_ruby/rubygems.rb'] }),
    ).toEqual(without(debian, /date_core/));
  });
});

describe('php', () => {
  const image = {
    'usr/local/bin/php': elf(),
    'usr/local/bin/other': elf(),
    'usr/local/etc/php/php.ini-production': 'x',
    'usr/local/etc/php/conf.d/docker-php-ext-opcache.ini': 'zend_extension=opcache\n',
    'usr/local/etc/php/conf.d/own.ini':
      '; extension=ftp\nextension = intl.so ; needed\nextension="/opt/own.so"\n',
    'usr/local/lib/php/extensions/no-debug-non-zts-20230831/opcache.so': elf(),
    'usr/local/lib/php/extensions/no-debug-non-zts-20230831/intl.so': elf(),
    'usr/local/lib/php/extensions/no-debug-non-zts-20230831/ftp.so': elf(),
    'opt/own.so': elf(),
  };

  it('keeps the settings of PHP and the extensions that they name', async () => {
    expect(await stays(phpRule, image, { want: ['usr/local/bin/php'] })).toEqual(
      without(image, /ftp\.so|other|production/),
    );
    expect(await stays(phpRule, image, { want: ['usr/local/bin/other'] })).toEqual(['usr/local/bin/other']);
  });

  it("keeps the settings for the server's interface of PHP on Debian", async () => {
    const debian = {
      'usr/sbin/php-fpm8.2': elf(),
      'etc/php/8.2/fpm/php.ini': 'x',
      'etc/php/8.2/fpm/conf.d/10-pdo.ini': 'extension=pdo.so',
      'etc/php/8.2/cli/php.ini': 'x',
      'etc/php/8.2/mods-available/ftp.ini': 'extension=ftp.so',
      'usr/lib/php/20220829/pdo.so': elf(),
      'usr/lib/php/20220829/ftp.so': elf(),
    };
    expect(await stays(phpRule, debian, { want: ['usr/sbin/php-fpm8.2'] })).toEqual(
      without(debian, /cli|ftp/),
    );
  });

  it('finds the extensions of used settings, on Alpine too', async () => {
    const alpine = {
      'etc/php83/conf.d/00_curl.ini': 'extension=curl',
      'usr/lib/php83/modules/curl.so': elf(),
      'usr/lib/php83/modules/ftp.so': elf(),
    };
    expect(await stays(phpRule, alpine, { want: ['etc/php83/conf.d/00_curl.ini'] })).toEqual(
      without(alpine, /ftp/),
    );
  });
});

describe('perl', () => {
  const base = 'usr/lib/x86_64-linux-gnu/perl-base';
  const image = {
    [`${base}/List/Util.pm`]: 'x',
    [`${base}/auto/List/Util/Util.so`]: elf(),
    [`${base}/auto/POSIX/POSIX.so`]: elf(),
    [`${base}/auto/Storable/autosplit.ix`]: 'x',
    [`${base}/Storable.pm`]: 'x',
    [`${base}/Carp.pm`]: 'x',
    [`${base}/Carp/Heavy.pm`]: 'x',
    [`${base}/Config.pm`]: 'x',
    [`${base}/Config_heavy.pl`]: 'x',
    [`${base}/Other.pm`]: 'x',
    [`${base}/unicore/To/Lower.pl`]: 'x',
    [`${base}/unicore/UCD.pl`]: 'x',
    [`${base}/unicore/lib/Gc/L.pl`]: 'x',
  };

  it.each([
    ['List/Util.pm', ['List/Util.pm', 'auto/List/Util/Util.so']],
    ['Storable.pm', ['Storable.pm', 'auto/Storable/autosplit.ix']],
    ['Carp.pm', ['Carp.pm', 'Carp/Heavy.pm']],
    ['Config.pm', ['Config.pm', 'Config_heavy.pl']],
    ['Other.pm', ['Other.pm']],
  ])('keeps the files that %s loads late', async (module, kept) => {
    expect(await stays(perlRule, image, { want: [`${base}/${module}`] })).toEqual(
      kept.map((path) => `${base}/${path}`),
    );
  });

  it('keeps tables of Unicode if one was used', async () => {
    const trace = { [`${base}/unicore/To/Lower.pl`]: 'open' };
    expect(await stays(perlRule, image, { trace })).toEqual([
      `${base}/unicore/To/Lower.pl`,
      `${base}/unicore/UCD.pl`,
    ]);
    expect(await stays(perlRule, image, { trace, granularity: 'package' })).toEqual([
      `${base}/unicore/To/Lower.pl`,
      `${base}/unicore/UCD.pl`,
      `${base}/unicore/lib/Gc/L.pl`,
    ]);
  });
});
