import fc from 'fast-check';
import { expect, test } from 'vitest';
import { callCli } from '../support/cli.ts';
import { buildImage } from '../support/image-builder.ts';
import { tar } from '../support/model/shorthand.ts';
import { startRegistry } from '../support/registry/opened.ts';
import { openScene } from '../support/scene.ts';
import { serve } from '../support/store/serving.ts';

const base = [tar('etc/', 'etc/base=1'), tar('etc/more=1')];
const scene = openScene(() => ({
  base: buildImage({ layers: base }),
  newer: buildImage({ layers: [tar('etc/', 'etc/base=2')] }),
  app: buildImage({ layers: [...base, tar('app/', 'app/one=1')] }),
}));
const baseName = 'org.opencontainers.image.base.name';

/** Puts the application into a registry, with the name of a base in an annotation. */
async function stating(name: string, host: string): Promise<string> {
  const app = `${host}/team/app:1`;
  await scene.succeed('config', scene.at('app'), app, '--annotation', `${baseName}=${name}`);
  return app;
}

test('N3: on the word of an image out of a registry, rebase asks no other host and reads no file of this machine', async () => {
  const { host } = await serve();
  const other = await startRegistry();
  for (const name of [`${other.host}/team/base:1`, scene.at('base'), scene.path('layout')]) {
    const app = await stating(name, host);
    for (const more of [[], ['--old-base-layers', '2']]) {
      const { status, stderr } = await callCli([
        'rebase',
        app,
        scene.at('rebased'),
        '--new-base',
        scene.at('newer'),
        ...more,
      ]);
      expect(status, stderr).toBe(more.length === 0 ? 1 : 0);
      expect(other.requests).toEqual([]);
    }
  }
});

test('a base that an image states, and that is there, is not overruled by --old-base-layers', async () => {
  const { host } = await serve();
  await scene.succeed('copy', scene.at('base'), `${host}/team/base:1`);
  const app = await stating(`${host}/team/base:1`, host);
  const rebase = (count: string) =>
    callCli([
      'rebase',
      app,
      scene.at('rebased'),
      '--new-base',
      scene.at('newer'),
      '--old-base-layers',
      count,
    ]);
  expect(await rebase('1')).toMatchObject({
    status: 1,
    stderr: expect.stringContaining('which has 2 layers [BASE_MISMATCH]') as string,
  });
  expect((await rebase('2')).status).toBe(0);
});

test('a note of layers, whatever it holds, changes no file of a relayered image', async () => {
  const names = fc.oneof(
    fc.constantFrom('__proto__', 'constructor', '../../etc', '/etc', '', '*', 'etc', 'app'),
    fc.string(),
  );
  const note = fc.oneof(
    fc.json(),
    fc
      .record({ layers: fc.array(fc.array(names)), contents: fc.dictionary(names, fc.string()) })
      .map((value) => JSON.stringify(value)),
  );
  await fc.assert(
    fc.asyncProperty(note, async (text) => {
      const noted = ['--annotation', `io.ocislim.layers=${text}`, '--label', `io.ocislim.layers=${text}`];
      await scene.succeed('config', scene.at('app'), scene.at('noted'), ...noted);
      const laid = ['relayer', scene.at('app'), scene.at('laid'), '--by', 'path'];
      await scene.succeed(...laid, '--previous', scene.at('noted'));
      await scene.succeed('verify', scene.at('app'), scene.at('laid'));
    }),
    { numRuns: 12 },
  );
});
