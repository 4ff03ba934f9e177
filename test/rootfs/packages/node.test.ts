import { describe, expect, it } from 'vitest';
import { node, nodePackageRoot } from '../../../src/rootfs/packages/node.ts';
import { packagesIn } from './rig.ts';
import { p } from '../../support/bytes.ts';

describe('Node packages', () => {
  it('are directories in node_modules with a package.json, without those inside; the application is not one', async () => {
    const found = await packagesIn(node, {
      'app/package.json': '{"name":"app","version":"9.9.9"}',
      'app/index.js': 'x',
      'app/node_modules/.package-lock.json': '{}',
      'app/node_modules/.bin/tool': { link: '../express/bin.js' },
      'app/node_modules/express/package.json': '{"name":"alias","version":"4.18.2"}',
      'app/node_modules/express/lib/package.json': '{"type":"module","version":"0"}',
      'app/node_modules/express/lib/index.js': 'x',
      'app/node_modules/express/bin.js': 'x',
      'app/node_modules/express/node_modules/@scope/a b/package.json': '{"version":1}',
      'app/node_modules/express/node_modules/@scope/a b/x.node': 'x',
      'app/node_modules/express/node_modules/@scope/README': 'x',
      'app/node_modules/bare/index.js': 'x',
      'app/node_modules/linked': { link: '../lib' },
      'node_modules/root/package.json': 'not json',
      'usr/lib/node_modules/npm/package.json': '[]',
    });
    expect(found).toEqual([
      'node @scope/a b null: app/node_modules/express/node_modules/@scope/a b/package.json app/node_modules/express/node_modules/@scope/a b/x.node',
      'node express 4.18.2: app/node_modules/express/bin.js app/node_modules/express/lib/index.js app/node_modules/express/lib/package.json app/node_modules/express/package.json',
      'node npm null: usr/lib/node_modules/npm/package.json',
      'node root null: node_modules/root/package.json',
    ]);
  });

  it('of pnpm are at the real paths of their directories', async () => {
    const found = await packagesIn(node, {
      'app/node_modules/a': { link: '.pnpm/a@1.0.0/node_modules/a' },
      'app/node_modules/.pnpm/a@1.0.0/node_modules/a/package.json': '{"version":"1.0.0"}',
      'app/node_modules/.pnpm/a@1.0.0/node_modules/a/i.js': 'x',
    });
    const at = 'app/node_modules/.pnpm/a@1.0.0/node_modules/a';
    expect(found).toEqual([`node a 1.0.0: ${at}/i.js ${at}/package.json`]);
  });

  it.each([
    ['node_modules/a/b', 'node_modules/a'],
    ['x/node_modules/@a/b/c/d', 'x/node_modules/@a/b'],
    ['x/node_modules/@a/b', null],
    ['x/node_modules/a', null],
    ['x/node_modules', null],
    ['x/not_node_modules/a/b', null],
    ['x/node_modules/a/node_modules/b', null],
    ['src/a/b', null],
  ])('%s is in %s', (path, root) => {
    expect(nodePackageRoot(p(path))).toBe(root);
  });

  it('need no other package.json', () => {
    expect(node.reads(p('a/node_modules/b/package.json'))).toBeGreaterThan(0);
    for (const path of [
      'package.json',
      'a/package.json',
      'a/node_modules/b/lib/package.json',
      'a/node_modules/package.json',
    ])
      expect(node.reads(p(path))).toBe(0);
  });
});
