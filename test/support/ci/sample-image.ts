/** An image with something to remove, which the tests of files for CI services rewrite. */
import { join } from 'node:path';
import { rewrite } from '../e2e/cli.ts';
import { buildImage, writeLayout } from '../image-builder.ts';
import { specOf } from '../model/shorthand.ts';
import { writeTar } from '../model/tar-bytes.ts';

const words = 'words that pack badly, '.repeat(2000);

/** Puts the image into a registry. Returns its digest. `folder` is empty before and after. */
export async function pushSample(
  reference: string,
  folder: string,
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  const layers = [
    ['usr/share/doc/app/README=words', `usr/share/doc/app/manual=${words}`, 'app/main=1'],
    ['var/lib/apt/lists/main_Packages=words', 'app/main=2', 'app/cache/a=1', 'app/cache/b=1', 'app/it s=1'],
  ].map((entries) => writeTar(entries.map(specOf)));
  const layout = join(folder, 'sample');
  await writeLayout(layout, { 1: buildImage({ layers, config: { config: { Entrypoint: ['/app/main'] } } }) });
  return await rewrite(['copy', `oci:${layout}:1`, reference], env);
}
