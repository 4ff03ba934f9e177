import { describe, expect, it } from 'vitest';
import { nodeRule } from '../../../src/closure/rules/node.ts';
import { elf, symlink } from '../rig.ts';
import { stays } from './stays.ts';

const image = {
  'app/package.json': '{"type":"module"}',
  'app/server.js': 'x',
  'app/node_modules/chalk/package.json': '{"main":"source/index.js"}',
  'app/node_modules/chalk/source/index.js': 'x',
  'app/node_modules/chalk/source/package.json': '{"type":"commonjs"}',
  'app/node_modules/chalk/readme.md': 'x',
  'app/node_modules/unused/package.json': '{}',
  'app/node_modules/native/build/Release/addon.node': elf(),
  'app/node_modules/native/package.json': '{}',
  'etc/config.json': '{}',
  'opt/hook.mjs': 'x',
};

describe('node', () => {
  it('keeps the package.json by which Node finds a package (reported: chalk is not found)', async () => {
    expect(await stays(nodeRule, image, { want: ['app/node_modules/chalk/source/index.js'] })).toEqual([
      'app/node_modules/chalk/package.json',
      'app/node_modules/chalk/source/index.js',
      'app/node_modules/chalk/source/package.json',
      'app/package.json',
    ]);
  });

  it('keeps the package.json above an addon, but none for files that are not modules', async () => {
    expect(
      await stays(nodeRule, image, { want: ['app/node_modules/native/build/Release/addon.node'] }),
    ).toEqual([
      'app/node_modules/native/build/Release/addon.node',
      'app/node_modules/native/package.json',
      'app/package.json',
    ]);
    const want = ['app/node_modules/chalk/readme.md'];
    expect(await stays(nodeRule, image, { want })).toEqual(want);
  });

  it('keeps the modules that NODE_OPTIONS preloads', async () => {
    const environment = { NODE_OPTIONS: '--max-old-space-size=100 --import /opt/hook.mjs' };
    expect(await stays(nodeRule, image, { environment })).toEqual(['opt/hook.mjs']);
  });

  describe('npm', () => {
    const npm = 'usr/local/lib/node_modules/npm';
    const tools = {
      'usr/local/bin/npm': symlink('../lib/node_modules/npm/bin/npm-cli.js'),
      [`${npm}/bin/npm-cli.js`]: '#!/usr/bin/env node',
      [`${npm}/lib/npm.js`]: 'x',
      [`${npm}/package.json`]: '{}',
      [`${npm}/node_modules/node-gyp/bin/node-gyp.js`]: 'x',
      'app/server.js': 'x',
    };

    it('keeps all of npm if it is used (reported: node-gyp.js is missing)', async () => {
      expect(await stays(nodeRule, tools, { want: ['usr/local/bin/npm'] })).toEqual(
        Object.keys(tools)
          .filter((path) => path !== 'app/server.js')
          .sort(),
      );
    });

    it('does not stay if only node is used', async () => {
      expect(await stays(nodeRule, tools, { want: ['app/server.js'] })).toEqual(['app/server.js']);
    });
  });
});
