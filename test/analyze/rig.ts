/** Scanned layers without images: the tests of `analyze` call these. They use the program's own reader, since they test what comes after it. */
import { fateSteps } from '../../src/analyze/fates.ts';
import type { LayeredImage } from '../../src/analyze/entries.ts';
import { buildStack } from '../../src/changeset/stack.ts';
import { scanTar } from '../../src/layers/read/scan-tar.ts';
import { atOnce } from '../../src/steps.ts';
import { type Short, tar } from '../support/model/shorthand.ts';

/** Scans tars, the lowest first. */
export async function layered(tars: readonly Uint8Array[]): Promise<LayeredImage> {
  const scans = await Promise.all(tars.map((bytes) => scanTar(streamOf(bytes))));
  const indexes = new Map(scans.map((index, i) => [i + 1, index]));
  const stack = buildStack(indexes);
  return { stack, indexes, fates: atOnce(fateSteps(stack, indexes)) };
}

/** Scans layers in short, the lowest first. */
export function layeredOf(...layers: readonly (readonly Short[])[]): Promise<LayeredImage> {
  return layered(layers.map((entries) => tar(...entries)));
}

async function* streamOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
