/**
 * Makes the inputs of all cases. scripts/compare-checkouts.ts calls it once, so that both checkouts read the same
 * bytes.
 */
import { existsSync } from 'node:fs';
import { cp, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { tarCases } from '../../test/support/corpus/all-cases.ts';
import { buildImage, buildIndex, writeLayout } from '../../test/support/image-builder.ts';
import { specOf } from '../../test/support/model/shorthand.ts';
import { writeTar } from '../../test/support/model/tar-bytes.ts';
import {
  armImage,
  baseImage,
  designedImage,
  paths,
  smallTars,
  writeOldDockerArchive,
} from '../../test/support/small-image.ts';
import { tracedImage, tracedPaths } from '../../test/support/traced-image.ts';
import type { Inputs } from './case.ts';

/** The layer above each tar of the corpus: a squash has something to merge, and a prune something hidden. */
const top = writeTar(['after=changed', 'top/file=1'].map(specOf));

/** Makes everything in a folder, and finds the real images in another. */
export async function makeInputs(folder: string, imagesFolder: string | null): Promise<Inputs> {
  const layout = join(folder, 'in');
  const app = designedImage();
  await writeLayout(layout, {
    app,
    base: baseImage(),
    docker: designedImage({ family: 'docker' }),
    index: buildIndex({ images: [app, armImage()], attestations: true }),
    plain: buildImage({ layers: smallTars, compress: 'none' }),
    traced: tracedImage(),
  });
  const oldArchive = join(folder, 'old.tar');
  await writeOldDockerArchive(oldArchive, designedImage({ family: 'docker' }), 'app:1');
  const traces = join(folder, 'traces');
  await cp(fileURLToPath(new URL('../../fixtures/traces', import.meta.url)), traces, { recursive: true });
  for (const [name, text] of Object.entries({ ...files, ...plans }))
    await writeFile(join(folder, name), text.replace('TRACE', join(folder, 'traced.txt')));
  return {
    folder,
    layout,
    oldArchive,
    fourthLayer: app.layers[3]?.digest ?? '',
    traces,
    plans: Object.keys(plans),
    corpus: await writeCorpus(folder),
    images: imagesFolder === null ? new Map() : await findImages(imagesFolder),
  };
}

/** Writes a layout for each tar, and returns their names. */
async function writeCorpus(folder: string): Promise<readonly string[]> {
  for (const [i, { tar }] of tarCases.entries()) {
    const image = buildImage({ layers: [tar, top], compress: 'none' });
    await writeLayout(corpusLayout(folder, i), { tar: image });
  }
  return tarCases.map(({ name }) => name);
}

/** Returns the layout, tag `tar`, that holds a tar of the corpus. */
export function corpusLayout(folder: string, index: number): string {
  return join(folder, 'corpus', String(index));
}

/** Finds what `fixtures/images/build.sh` and its sibling have built: references by name. */
async function findImages(folder: string): Promise<ReadonlyMap<string, string>> {
  const found = (await readdir(folder)).sort().flatMap((name): [string, string][] => {
    const path = join(folder, name);
    if (name.endsWith('.docker.tar')) return [[name, `docker-archive:${path}`]];
    return existsSync(join(path, 'oci-layout')) ? [[name, `oci:${path}:v1`]] : [];
  });
  return new Map(found);
}

/** Rules and traces. */
const files = {
  'rules.txt': '# rules\nopt/data/**\n!opt/data/p*/**\nusr/share/**/*.gz\n',
  'keep.txt': `${paths.copyright}\nopt/data/sparse*\n`,
  'entrypoint.txt': '/app/run.sh\n',
  'traced.txt': `${tracedPaths.join('\n')}\n`,
  'used.txt': '/usr/bin/tool\n/opt/app/bin/run\n/etc/passwd\n',
  'other-used.txt': '/srv/root/usr/bin/perl5\n/elsewhere/file\n',
  'broken.trace': 'neither a trace nor a list\0\n',
};

/** Plans, also such as are refused. `TRACE` becomes the path of a trace of the image `traced`. */
const plans = {
  'plan-all.yaml': `version: 1
prune:
  shadowed: true
  presets: [apt-lists, docs]
  rules: ['opt/data/s*']
  keep: ['opt/data/sparse-gnu']
squash:
  last: 3
recompress:
  compression: zstd
  level: 12
`,
  'plan-ranges.yaml': `version: 1
prune: { presets: [logs], layers: 2..5 }
arrange: { order: similar, dedupeHardlink: true }
recompress:
  - { compression: gzip, level: 6, layers: 1..3 }
  - { compression: zstd, level: 3, layers: 4.., minSavings: 5% }
emptyLayers: drop
`,
  'plan-engines.yaml': `version: 1
squash: { layers: 2..4 }
recompress: { compression: gzip, gzipEngine: pako, level: 6, minSavings: 10 }
`,
  'plan-trace.yaml': `version: 1
prune:
  traces: [TRACE]
  granularity: file
  keepCommands: [/usr/bin/other]
`,
  'plan-tune.yaml': 'version: 1\nrecompress: { tune: small }\n',
  'plan-empty.yaml': 'version: 1\n',
  'plan-unknown-key.yaml': 'version: 1\nsqash: { last: 3 }\n',
  'plan-version.yaml': 'version: 2\n',
  'plan-two-selections.yaml': 'version: 1\nsquash: { last: 3, all: true }\n',
  'plan-level.yaml': 'version: 1\nrecompress: { compression: zstd, level: 40 }\n',
  'plan-gzip-level.yaml': 'version: 1\nrecompress: { compression: gzip, level: 20 }\n',
  'plan-preset.yaml': 'version: 1\nprune: { presets: [nothing] }\n',
  'plan-rule.yaml': "version: 1\nprune: { rules: ['[z-a'] }\n",
  'plan-no-yaml.yaml': 'version: [\n',
};
