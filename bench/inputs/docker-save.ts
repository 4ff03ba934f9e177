/**
 * Writes the image of a layout as `docker save` did before Docker 25. docker-squash moves layers of this form only;
 * dive and ocislim read it too.
 */
import { mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { sequence } from '../measure/command.ts';
import { runQuietly, type RunOptions } from '../measure/account.ts';
import { ocislimArgv } from '../rivals/ocislim.ts';
import { readJson } from './layout-files.ts';

/** Writes plain layers, each as `layer.tar` in a folder of its own. */
export async function writeDockerSave(layout: string, file: string, options: RunOptions): Promise<void> {
  const work = join(options.folder, 'docker-save');
  const [archive, tree] = [join(work, 'oci.tar'), join(work, 'tree')];
  mkdirSync(tree, { recursive: true });
  await runQuietly(
    sequence(ocislimArgv('copy', `oci:${layout}:v1`, `docker-archive:${archive}:image:v1`, '-q'), [
      'tar',
      '-xf',
      archive,
      '-C',
      tree,
    ]),
    options,
  );
  rmSync(archive);
  interface Manifest {
    readonly Config: string;
    readonly Layers: readonly string[];
  }
  const [manifest] = readJson(join(tree, 'manifest.json')) as readonly Manifest[];
  if (manifest === undefined) throw new Error(`${archive} has no image`);
  const config = readJson(join(tree, manifest.Config)) as Record<string, unknown>;
  const { history: _, rootfs: __, ...old } = config;
  // A layer may occur twice; its folder may not.
  const folders = manifest.Layers.map((layer, i) => ({
    layer,
    name: `${String(i).padStart(4, '0')}${basename(layer).slice(4)}`,
  }));
  const first = new Map<string, string>();
  for (const { layer, name } of folders) {
    mkdirSync(join(tree, name));
    const known = first.get(layer);
    const target = join(tree, name, 'layer.tar');
    if (known === undefined) renameSync(join(tree, layer), target);
    else await runQuietly(sequence(['cp', known, target]), options);
    first.set(layer, target);
    writeFileSync(join(tree, name, 'VERSION'), '1.0');
    writeFileSync(join(tree, name, 'json'), JSON.stringify({ ...old, id: name }));
  }
  const named = `${basename(manifest.Config)}.json`;
  renameSync(join(tree, manifest.Config), join(tree, named));
  const layers = folders.map(({ name }) => `${name}/layer.tar`);
  writeFileSync(
    join(tree, 'manifest.json'),
    JSON.stringify([{ Config: named, RepoTags: ['image:v1'], Layers: layers }]),
  );
  for (const name of ['blobs', 'index.json', 'oci-layout'])
    rmSync(join(tree, name), { recursive: true, force: true });
  await runQuietly(sequence(['tar', '-cf', file, '-C', tree, ...readdirSync(tree)]), options);
  rmSync(work, { recursive: true });
}
