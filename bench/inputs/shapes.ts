import { createReadStream, rmSync } from 'node:fs';
import { join } from 'node:path';
import { runQuietly, type RunOptions } from '../measure/account.ts';
import { sequence } from '../measure/command.ts';
import { ocislimArgv } from '../rivals/ocislim.ts';
import { readLayers } from './layout-files.ts';
import { madeUpTar } from './made-up-tar.ts';
import { writeLayout } from './write-layout.ts';

/** Images that the benchmark makes itself. */
export const shapeNames = ['one-layer', 'small-files', 'huge'] as const;
export type ShapeName = (typeof shapeNames)[number];

export function isShape(name: string): name is ShapeName {
  return (shapeNames as readonly string[]).includes(name);
}

/**
 * Makes a shape. `one-layer`: all layers of a real image in one, as gzip 6; `small-files`: 50,000 files of 2 kB;
 * `huge`: 10 GiB in 400 files. Quickly: a fortieth of the latter two.
 */
export async function makeShape(
  name: ShapeName,
  directory: string,
  { from, quick, ...options }: RunOptions & { readonly from: string | undefined; readonly quick: boolean },
): Promise<void> {
  const { signal } = options;
  switch (name) {
    case 'one-layer': {
      if (from === undefined) throw new Error('one-layer is made of another image, and there is none');
      const squashed = join(options.folder, 'squashed');
      const to = `oci:${squashed}:v1`;
      await runQuietly(
        sequence(ocislimArgv('squash', `oci:${from}:v1`, to, '--all', '--compression', 'none', '-q')),
        options,
      );
      const files = readLayers(squashed).map(({ file }) =>
        createReadStream(file, { highWaterMark: 1 << 20 }),
      );
      await writeLayout(directory, files, { signal });
      return rmSync(squashed, { recursive: true });
    }
    case 'small-files': {
      const files = { count: quick ? 1250 : 50_000, size: 2048, prefix: 'file', inDirectories: 250 };
      await writeLayout(directory, [madeUpTar(files)], { signal });
      return;
    }
    case 'huge': {
      const size = (10 * 1024 ** 3) / 400 / (quick ? 40 : 1);
      const files = { count: 400, size: Math.floor(size / 512) * 512, prefix: 'file' };
      await writeLayout(directory, [madeUpTar(files)], { level: 1, signal });
    }
  }
}
