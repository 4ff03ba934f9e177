/**
 * What `docker save` writes, in its two forms, as entries of a tar. Used by the tests of store and of the command line.
 */
import { expect } from 'vitest';
import { detect } from '../../../src/codec/detect.ts';
import {
  type BlobDescriptor,
  type BuiltImage,
  type BuiltTree,
  digestOf,
  jsonBytes,
} from '../image-builder.ts';
import type { EntrySpec } from '../model/tar-bytes.ts';
import { membersIn } from './archives.ts';

const hex = (digest: string) => digest.replace('sha256:', '');

/** Makes what Docker before 25 writes: a folder a layer, a repeated one as a symbolic link; and a row of manifest.json. */
export function oldForm(
  built: BuiltImage,
  names: readonly string[] | null,
  layers: readonly Uint8Array[] = built.layers.map(({ digest }) => built.blobs.get(digest) as Uint8Array),
): { entries: EntrySpec[]; row: unknown } {
  const config = `${hex(digestOf(built.config))}.json`;
  const folders = layers.map((_, i) => hex(digestOf(Buffer.from(`${built.descriptor.digest} ${i}`))));
  const entries = layers.flatMap((body, i): EntrySpec[] => {
    const folder = folders[i] as string;
    const first = layers.indexOf(body);
    const tar: EntrySpec =
      first === i
        ? { name: `${folder}/layer.tar`, body }
        : { name: `${folder}/layer.tar`, type: 'symlink', linkname: `../${folders[first]}/layer.tar` };
    return [
      { name: `${folder}/`, type: 'dir' },
      { name: `${folder}/VERSION`, body: Buffer.from('1.0') },
      tar,
    ];
  });
  const row = { Config: config, RepoTags: names, Layers: folders.map((folder) => `${folder}/layer.tar`) };
  return { entries: [...entries, { name: config, body: built.config }], row };
}

/** Makes the entries of an archive of the old form. */
export function oldArchive(...images: readonly ReturnType<typeof oldForm>[]): EntrySpec[] {
  return [
    ...images.flatMap(({ entries }) => entries),
    { name: 'manifest.json', body: jsonBytes(images.map(({ row }) => row)) },
    { name: 'repositories', body: jsonBytes({}) },
  ];
}

/** Makes what Docker from 25 on writes: an OCI layout, and a manifest.json that points into it. */
export function newForm(
  trees: readonly { readonly tree: BuiltTree; readonly name: string | null; readonly image: BuiltImage }[],
): EntrySpec[] {
  const blob = (digest: string) => `blobs/${digest.replace(':', '/')}`;
  const blobs = new Map(trees.flatMap(({ tree }) => [...tree.blobs]));
  const rows = trees.map(({ image, name }) => ({
    Config: blob(digestOf(image.config)),
    RepoTags: name === null ? null : [name],
    Layers: image.layers.map(({ digest }) => blob(digest)),
  }));
  const manifests = trees.map(({ tree, name }) => ({
    ...tree.descriptor,
    ...(name === null
      ? {}
      : {
          annotations: {
            'io.containerd.image.name': `docker.io/library/${name}`,
            'org.opencontainers.image.ref.name': name.split(':')[1] as string,
          },
        }),
  }));
  return [
    ...[...blobs].map(([digest, body]) => ({ name: blob(digest), body })),
    { name: 'index.json', body: jsonBytes({ schemaVersion: 2, manifests }) },
    { name: 'manifest.json', body: jsonBytes(rows) },
    { name: 'oci-layout', body: jsonBytes({ imageLayoutVersion: '1.0.0' }) },
  ];
}

/** Expects an archive to have one image of plain layers under types that say so, which both of its lists name, and not a blob more. */
export function expectOneImage(tar: Uint8Array): void {
  const { entries, json } = membersIn(tar);
  const members = new Map(entries.map(({ name, body }) => [name, body]));
  const [row, ...others] = json('manifest.json') as { Config: string; Layers: string[] }[];
  const { manifests } = json('index.json') as { manifests: { digest: string }[] };
  const blob = ({ digest }: { digest: string }) => `blobs/${digest.replace(':', '/')}`;
  const [manifest] = manifests.map(blob);
  const { config, layers } = json(manifest ?? '') as { config: BlobDescriptor; layers: BlobDescriptor[] };
  expect([row, ...others]).toMatchObject([{ Config: blob(config), Layers: layers.map(blob) }]);
  const files = [...members.keys()].filter((name) => !name.endsWith('/'));
  const lists = ['index.json', 'oci-layout', 'manifest.json'];
  expect(new Set(files)).toEqual(new Set([manifest, row?.Config, ...(row?.Layers ?? []), ...lists]));
  for (const name of row?.Layers ?? []) expect(detect(members.get(name) as Uint8Array)).toBe('none');
  for (const { mediaType } of layers) expect(mediaType).toMatch(/\.tar$/);
}
