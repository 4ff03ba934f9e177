import { expect, it } from 'vitest';
import { imageMembers, readImageSet } from '../../../src/jobs/image-set.ts';
import type { Gathering } from '../../../src/layers/read/gathering.ts';
import { LayerReader } from '../../../src/layers/read/layer-reader.ts';
import { Scratch } from '../../../src/files/scratch.ts';
import { defaultLimits } from '../../../src/limits.ts';
import { buildImage } from '../../support/image-builder.ts';
import { MemorySource } from '../../support/memory-store.ts';
import { tar } from '../../jobs/rig.ts';

it('gathers what a later call asks for, where an earlier one asked for other facts', async () => {
  const source = new MemorySource(buildImage({ layers: [tar('etc/a=text')] }));
  const { signal } = new AbortController();
  const [member] = imageMembers(await readImageSet(source, { platforms: [], signal }));
  const image = member?.image;
  if (image === undefined) throw new Error('there is no image');
  const scratch = new Scratch(0);
  const reader = new LayerReader({ source, scratch, listener: () => {} });
  const contents = async (gathering: Gathering | null) =>
    (await reader.scan(image, 1, gathering, signal)).facts?.contents.size ?? 0;
  try {
    const twins = { probe: null, digests: false, twins: true };
    expect(await contents(twins)).toBe(0);
    expect(await contents({ ...twins, probe: () => 1000, programs: true })).toBe(1);
    expect(await contents({ ...twins, probe: () => 1000, programs: true })).toBe(1);
    expect(await contents(twins)).toBe(0);
  } finally {
    await scratch.close();
  }
});

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
