import { expect, it } from 'vitest';
import { hardLinkRule } from '../../../src/closure/rules/hard-link.ts';
import { hardLink as link, kept, wanting } from '../rig.ts';

const image = { 'bin/busybox': 'program', 'bin/sh': link('bin/busybox'), 'bin/other': 'x' };

it('keeps the other names of a needed program', async () => {
  for (const granularity of ['package', 'directory'] as const)
    expect(await kept({ image, granularity }, [wanting('bin/sh'), hardLinkRule])).toEqual([
      'bin/busybox',
      'bin/sh',
    ]);
});

it('keeps only the used names with granularity file', async () => {
  expect(await kept({ image, granularity: 'file' }, [wanting('bin/sh'), hardLinkRule])).toEqual(['bin/sh']);
});
