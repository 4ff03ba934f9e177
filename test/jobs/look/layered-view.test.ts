import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Path } from '../../../src/bytes/path.ts';
import { LayeredView, NeedsLayer } from '../../../src/jobs/look/layered-view.ts';
import { scanTar } from '../../../src/layers/read/scan-tar.ts';
import { atOnce } from '../../../src/steps.ts';
import { lawRuns, rootfsOf } from '../../laws/rig.ts';
import { layerStack } from '../../support/arbitrary/layers.ts';

async function* whole(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** Asks a view, and adds the layers that it needs. Returns the answer, and how many layers it took. */
async function ask<T>(tars: readonly Uint8Array[], answer: (view: LayeredView) => T): Promise<[T, number]> {
  const view = new LayeredView(tars.length);
  for (let read = 0; ; read++) {
    try {
      return [answer(view), read];
    } catch (error) {
      if (!(error instanceof NeedsLayer)) throw error;
      expect(error.layer).toBe(tars.length - read);
      atOnce(view.add(error.layer, await scanTar(whole(tars[error.layer - 1] as Uint8Array))));
    }
  }
}

test('law: what upper layers tell of a path is what all of them make', async () => {
  await fc.assert(
    fc.asyncProperty(layerStack(), async ({ layers }) => {
      const tars = layers.map((layer) => layer.tar);
      const rootfs = rootfsOf(tars);
      // Names that any state of the filesystem had, and some that none had.
      const names = new Set(tars.flatMap((_, i) => [...rootfsOf(tars.slice(0, i + 1)).keys()]));
      for (const name of [...names, 'a/none', 'none']) {
        const [kind] = await ask(tars, (view) => view.kind(name as Path));
        const node = rootfs.get(name);
        expect([name, kind]).toEqual([name, node?.kind === 'dir' ? 'directory' : (node?.kind ?? null)]);
        const [target] = await ask(tars, (view) => view.target(name as Path));
        expect([name, target]).toEqual([name, node?.kind === 'symlink' ? node.target : null]);
      }
    }),
    { numRuns: lawRuns({ share: 0.5 }) },
  );
});

test('law: layers below those that were read change no answer', async () => {
  await fc.assert(
    fc.asyncProperty(layerStack(), layerStack({ maxLayers: 3 }), fc.nat(), async (upper, lower, choice) => {
      const tars = upper.layers.map((layer) => layer.tar);
      const names = [...rootfsOf(tars).keys()];
      const name = names[choice % names.length] as string as Path;
      const [kind, read] = await ask(tars, (view) => view.kind(name));
      if (read === tars.length) return;
      const others = lower.layers.map((layer) => layer.tar);
      const changed = [...others, ...tars.slice(tars.length - read)];
      expect((await ask(changed, (view) => view.kind(name)))[0]).toBe(kind);
    }),
    { numRuns: lawRuns({ share: 0.5 }) },
  );
});
