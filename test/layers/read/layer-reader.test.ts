import { expect, it } from 'vitest';
import { imageMembers, readImageSet } from '../../../src/jobs/image-set.ts';
import { LayerReader } from '../../../src/layers/read/layer-reader.ts';
import { Scratch } from '../../../src/files/scratch.ts';
import { defaultLimits } from '../../../src/limits.ts';
import { buildImage } from '../../support/image-builder.ts';
import { MemorySource } from '../../support/memory-store.ts';
import { tar } from '../../jobs/rig.ts';

it('holds contents of all layers up to a limit', async () => {
  const layers = ['a', 'b'].map((name) => tar(`etc/${name}=${name.repeat(100)}`));
  const source = new MemorySource(buildImage({ layers }));
  const { signal } = new AbortController();
  const [member] = imageMembers(await readImageSet(source, { platforms: [], signal }));
  const image = member?.image;
  if (image === undefined) throw new Error('there is no image');
  const scratch = new Scratch(0);
  const read = async (held: number) => {
    const reader = new LayerReader({
      source,
      scratch,
      listener: () => {},
      limits: { ...defaultLimits, 'contents-bytes': held },
    });
    const gathering = { probe: () => 1000, digests: false, twins: false };
    for (const number of [1, 2, 2]) await reader.scan(image, number, gathering, signal);
  };
  try {
    await read(200);
    await expect(read(199)).rejects.toMatchObject({ code: 'LIMIT' });
  } finally {
    await scratch.close();
  }
});
