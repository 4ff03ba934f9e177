import { expect, test } from 'vitest';
import { recompress } from '../../../src/compress/recompress.ts';
import { buildImage } from '../../support/image-builder.ts';
import { rewrite, tar } from '../rig.ts';

// Tools for images that machines boot from read the first zstd frame of a layer only, until the middle of 2026.
const all = { kind: 'all' } as const;

function bootable(labels: Readonly<Record<string, string>>) {
  return buildImage({ layers: [tar('a=1')], config: { config: { Labels: labels } } });
}

test.each([
  [{ 'containers.bootc': '1' }, 'zstd', true],
  [{ 'ostree.commit': 'abc' }, 'zstd', true],
  [{ 'containers.bootc': '1' }, 'gzip', false],
  [{ 'containers.bootc': '0', ostree: 'x' }, 'zstd', false],
] as const)('labels %j and layers in %s: a warning is %s', async (labels, kind, isWarned) => {
  const encoding = kind === 'zstd' ? { kind, level: 3 } : { kind, level: 6, engine: 'libdeflate' as const };
  const { warnings } = await rewrite(bootable(labels), [recompress(all, encoding)]);
  expect(warnings.filter((warning) => warning.startsWith('FRAMES_UNREAD'))).toHaveLength(isWarned ? 1 : 0);
});
