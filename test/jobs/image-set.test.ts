import { expect, test } from 'vitest';
import { readImageSet } from '../../src/jobs/image-set.ts';
import type { Descriptor } from '../../src/oci/descriptor.ts';
import { buildImage, buildIndex } from '../support/image-builder.ts';
import { MemorySource } from '../support/memory-store.ts';
import { tar } from './rig.ts';

test('an index of many children is read a few at a time, and in its order', async () => {
  const images = Array.from({ length: 40 }, (_, i) => buildImage({ layers: [tar(`file=${i}`)] }));
  let [reading, most] = [0, 0];
  class CountingSource extends MemorySource {
    override async manifest(descriptor: Descriptor, signal: AbortSignal) {
      reading += 1;
      most = Math.max(most, reading);
      await new Promise((resolve) => setImmediate(resolve));
      reading -= 1;
      return super.manifest(descriptor, signal);
    }
  }
  const { members } = await readImageSet(new CountingSource(buildIndex({ images })), {
    platforms: [],
    signal: new AbortController().signal,
  });
  expect(members.map(({ raw }) => raw.descriptor.digest)).toEqual(
    images.map(({ descriptor }) => descriptor.digest),
  );
  expect(most).toBe(6);
});
