import { expect, it } from 'vitest';
import { ruby } from '../../../src/rootfs/packages/ruby.ts';
import { packagesIn } from './rig.ts';

it('a gem has a specification, a directory, and what was compiled for it', async () => {
  const home = 'usr/local/lib/ruby/gems/3.3.0';
  const found = await packagesIn(ruby, {
    [`${home}/specifications/json-2.7.gemspec`]: 'x',
    [`${home}/specifications/net-http-0.4.1-x86_64-linux.gemspec`]: 'x',
    [`${home}/specifications/odd.gemspec`]: 'x',
    [`${home}/specifications/default/uri-0.13.gemspec`]: 'x',
    [`${home}/gems/json-2.7/lib/json.rb`]: 'x',
    [`${home}/gems/json-2.7/gems/inner-1/x.rb`]: 'x',
    [`${home}/gems/json-2.7.1/lib/json.rb`]: 'x',
    [`${home}/gems/net-http-0.4.1-x86_64-linux/lib/net.rb`]: 'x',
    [`${home}/extensions/x86_64-linux/3.3.0/json-2.7/gem.build_complete`]: '',
    [`${home}/extensions/x86_64-linux/3.3.0/other-1/gem.build_complete`]: '',
  });
  expect(found).toEqual([
    `ruby json 2.7: ${home}/extensions/x86_64-linux/3.3.0/json-2.7/gem.build_complete ${home}/gems/json-2.7/gems/inner-1/x.rb ${home}/gems/json-2.7/lib/json.rb ${home}/specifications/json-2.7.gemspec`,
    `ruby net-http 0.4.1: ${home}/gems/net-http-0.4.1-x86_64-linux/lib/net.rb ${home}/specifications/net-http-0.4.1-x86_64-linux.gemspec`,
    `ruby odd null: ${home}/specifications/odd.gemspec`,
  ]);
});
