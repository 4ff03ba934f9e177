import { expect, it } from 'vitest';
import { composer } from '../../../src/rootfs/packages/composer.ts';
import { packagesIn } from './rig.ts';

const list = [{ name: 'monolog/monolog', version: '3.5.0' }, { name: 'psr/log' }, 'odd'];

it.each([
  ['Composer 2', JSON.stringify({ packages: list, dev: false })],
  ['Composer 1', JSON.stringify(list)],
])('packages of %s are directories below vendor', async (_, installed) => {
  const found = await packagesIn(composer, {
    'app/composer.json': '{}',
    'app/vendor/autoload.php': 'x',
    'app/vendor/composer/installed.json': installed,
    'app/vendor/composer/ClassLoader.php': 'x',
    'app/vendor/composer/semver/composer.json': '{}',
    'app/vendor/monolog/monolog/composer.json': '{}',
    'app/vendor/monolog/monolog/src/Logger.php': 'x',
    'app/vendor/psr/log/composer.json': '{}',
    'app/vendor/psr/linked': { link: '../../src' },
    'app/vendor/stray/thing/x.php': 'x',
    'other/vendor/a/b/composer.json': '{}',
  });
  expect(found).toEqual([
    'composer composer/semver null: app/vendor/composer/semver/composer.json',
    'composer monolog/monolog 3.5.0: app/vendor/monolog/monolog/composer.json app/vendor/monolog/monolog/src/Logger.php',
    'composer psr/log null: app/vendor/psr/log/composer.json',
  ]);
});
