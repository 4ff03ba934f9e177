import { expect, it } from 'vitest';
import { readRecordedImage } from '../../../src/commands/record/recorded-image.ts';
import { silent } from '../../../src/events.ts';
import { defaultLimits } from '../../../src/limits.ts';
import type { Descriptor } from '../../../src/oci/descriptor.ts';
import { parsePlatform } from '../../../src/oci/platform.ts';
import { buildImage, buildIndex } from '../../support/image-builder.ts';
import { MemorySource } from '../../support/memory-store.ts';
import { tar } from '../../jobs/rig.ts';

class CountingSource extends MemorySource {
  readonly read: string[] = [];

  override manifest(descriptor: Descriptor, signal: AbortSignal) {
    this.read.push(descriptor.digest);
    return super.manifest(descriptor, signal);
  }
}

it('the platforms of the other images are told without reading their manifests', async () => {
  const [amd64, arm64, again] = ['amd64', 'arm64', 'arm64'].map((architecture, i) =>
    buildImage({ layers: [tar(`file=${i}`)], platform: { os: 'linux', architecture } }),
  ) as [ReturnType<typeof buildImage>, ReturnType<typeof buildImage>, ReturnType<typeof buildImage>];
  const source = new CountingSource(buildIndex({ images: [amd64, arm64, again], attestations: true }));
  const image = await readRecordedImage(source, parsePlatform('linux/amd64'), {
    limits: defaultLimits,
    listener: silent,
    signal: new AbortController().signal,
  });
  expect(image).toMatchObject({ platform: 'linux/amd64', others: ['linux/arm64'] });
  expect(source.read).not.toContain(arm64.descriptor.digest);
  expect(source.read).not.toContain(again.descriptor.digest);
});
