import { expect, it } from 'vitest';
import { packagesOf } from '../../src/rootfs/packages/package-index.ts';
import { atOnce } from '../../src/steps.ts';
import { usageSteps } from '../../src/closure/package-usage.ts';
import { traceOf } from './rig.ts';
import { imageOf } from '../rootfs/packages/rig.ts';

it('files count for their most specific package, and as used if the trace names them', async () => {
  const image = await imageOf({
    'var/lib/dpkg/status': 'Package: libz\nVersion: 1.2\n',
    'var/lib/dpkg/info/libz.list': '/usr/lib/libz.so\n/usr/lib/libz.so.1\n/usr/bin/zip\n',
    'var/lib/dpkg/info/idle.list': '/usr/bin/idle\n/gone\n',
    'var/lib/dpkg/info/absent.list': '/gone\n',
    'usr/lib/libz.so': { link: 'libz.so.1' },
    'usr/lib/libz.so.1': '12345',
    'usr/bin/zip': '1234567',
    'usr/bin/idle': '12',
    'app/node_modules/a/package.json': '{}',
    'app/node_modules/a/index.js': '1234567890',
    'app/main.js': '123',
  });
  const trace = traceOf({
    'usr/lib/libz.so': 'open',
    'app/node_modules/a/index.js': 'open',
    'app/main.js': 'open',
    'not/there': 'open',
    app: 'list',
  });
  expect(atOnce(usageSteps(packagesOf(image), image.fs, trace))).toEqual([
    { kind: 'node', name: 'a', version: null, files: 2, used: 1, bytes: 12, usedBytes: 10 },
    { kind: 'dpkg', name: 'libz', version: '1.2', files: 3, used: 1, bytes: 12, usedBytes: 5 },
    { kind: 'dpkg', name: 'idle', version: null, files: 1, used: 0, bytes: 2, usedBytes: 0 },
    {
      kind: null,
      name: '',
      version: null,
      files: 5,
      used: 1,
      bytes:
        'Package: libz\nVersion: 1.2\n/usr/lib/libz.so\n/usr/lib/libz.so.1\n/usr/bin/zip\n/usr/bin/idle\n/gone\n/gone\n123'
          .length,
      usedBytes: 3,
    },
  ]);
});
