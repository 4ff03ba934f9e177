/**
 * The target of archives: OCI layouts in tars, and what `docker save` writes. Two readers must agree on the
 * members.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FileHandle } from 'node:fs/promises';
import { silent } from '../../src/events.ts';
import { DiskBudget } from '../../src/files/disk-budget.ts';
import { defaultLimits } from '../../src/limits.ts';
import { parseManifest } from '../../src/oci/manifest.ts';
import { ArchiveFiles } from '../../src/store/archive/archive-files.ts';
import { DockerArchiveSource } from '../../src/store/archive/docker-archive-source.ts';
import { TarIndex } from '../../src/store/archive/tar-index.ts';
import { onlyImage } from '../../src/store/layout/layout-choice.ts';
import { LayoutSource } from '../../src/store/layout/layout-source.ts';
import type { Source } from '../../src/place/place.ts';
import { TarReader } from '../../src/tar/reader.ts';
import { cleanPath } from '../../src/bytes/path.ts';
import { buildImage, digestOf, jsonBytes } from '../../test/support/image-builder.ts';
import { specOf } from '../../test/support/model/shorthand.ts';
import { writeTar } from '../../test/support/model/tar-bytes.ts';
import { newFolder } from '../scratch.ts';
import { holds, inChunks, outcomeNow, outcomeOf, type Target } from '../target.ts';
import { mendTar, tarMutators } from '../tar-mutators.ts';
import { tarSeeds } from '../tar-seeds.ts';
import { KiB, MiB } from '../../src/units.ts';

const { signal } = new AbortController();
const image = buildImage({ layers: [writeTar(['a=1'].map(specOf))], compress: 'none', history: 'none' });

/** Returns an OCI layout in a tar; with the list that `docker save` adds, or with that list alone. */
function seed(parts: { readonly layout: boolean; readonly list: boolean }): Uint8Array {
  const hex = (digest: string): string => digest.replace('sha256:', '');
  const { mediaType, digest, size } = image.descriptor;
  const index = {
    schemaVersion: 2,
    manifests: [{ mediaType, digest, size, annotations: { 'org.opencontainers.image.ref.name': 'app:1' } }],
  };
  const [layer] = image.layers;
  const list = [
    { Config: `blobs/sha256/${hex(digestOf(image.config))}`, RepoTags: ['app:1'], Layers: ['layer.tar'] },
  ];
  return writeTar([
    ...[...image.blobs].map(([digest, body]) => ({ name: `blobs/sha256/${hex(digest)}`, body })),
    { name: 'layer.tar', type: 'symlink' as const, linkname: `blobs/sha256/${hex(layer?.digest ?? '')}` },
    ...(parts.layout
      ? [
          { name: 'oci-layout', body: jsonBytes({ imageLayoutVersion: '1.0.0' }) },
          { name: './index.json', body: jsonBytes(index) },
        ]
      : []),
    ...(parts.list ? [{ name: 'manifest.json', body: jsonBytes(list) }] : []),
  ]);
}

let file: string | null = null;

async function readAll(source: Source): Promise<void> {
  try {
    const root = await source.root(signal);
    const manifest = parseManifest(root.bytes, root.descriptor.mediaType, 'it');
    if (manifest.kind !== 'manifest') return;
    for (const descriptor of [manifest.config, ...manifest.layers]) {
      let length = 0;
      for await (const chunk of source.blob(descriptor, signal)) length += chunk.length;
      holds(length === descriptor.size, 'a blob of another length than its descriptor');
    }
  } finally {
    await source.close();
  }
}

/** Returns a file handle over bytes in memory, as far as readers need one. */
function handleOf(bytes: Uint8Array): FileHandle {
  const read = async (into: Uint8Array, offset: number, length: number, position: number) => {
    const part = bytes.subarray(position, position + length);
    into.set(part, offset);
    return { bytesRead: part.length, buffer: into };
  };
  return { read } as unknown as FileHandle;
}

/** Checks that two readers of tars agree on what a name stands for. */
async function compareReaders(bytes: Uint8Array): Promise<void> {
  const index = await outcomeOf(() =>
    TarIndex.read({ handle: handleOf(bytes), size: bytes.length, label: 'it' }, defaultLimits, signal),
  );
  if (index.kind === 'refused') return;
  const last = new Map<string, Uint8Array | null>();
  const entries = await outcomeOf(async () => {
    const reader = new TarReader(inChunks(bytes, MiB));
    for (let entry = await reader.next(); entry !== null; entry = await reader.next()) {
      const { name, kind, size } = entry;
      const parts = [];
      for await (const part of reader.body()) parts.push(part.slice());
      const path = outcomeNow(() => cleanPath(name));
      if (path.kind === 'accepted' && (kind === 'file' || kind === 'link' || kind === 'symlink'))
        last.set(
          path.value,
          kind === 'file' && entry.head[156] !== 0x53 ? Buffer.concat(parts).subarray(0, size) : null,
        );
    }
  });
  if (entries.kind === 'refused') return;
  for (const [name, body] of last) {
    // No reader looks up a member without a name.
    if (body === null || name === '') continue;
    const extent = outcomeNow(() => index.value.find(name));
    if (extent.kind === 'refused' || extent.value === null) continue;
    const { offset, size } = extent.value;
    holds(
      Buffer.compare(bytes.subarray(offset, offset + size), body) === 0,
      'the index of an archive finds another member than the reader of layers',
    );
  }
}

const only = { name: null, digest: null, position: null };
const place = (path: string, disk: DiskBudget) => ({
  label: 'it',
  files: new ArchiveFiles({ path, label: 'it', limits: defaultLimits, disk, listener: silent }),
});

export const target: Target = {
  name: 'archive',
  invariant:
    'archives are read or refused; blobs are what descriptors say; the index of members agrees with the reader of layers',
  seeds: () => [
    seed({ layout: true, list: true }),
    seed({ layout: true, list: false }),
    seed({ layout: false, list: true }),
    ...tarSeeds().slice(0, 12),
  ],
  dictionary: [
    'manifest.json',
    'index.json',
    'oci-layout',
    'blobs/sha256/',
    '"manifests":',
    '"Config":',
    '"RepoTags":',
    '"Layers":',
    '..',
    '/',
  ],
  mutators: tarMutators,
  mend: mendTar,
  maxBytes: 24 * KiB,
  run: async (bytes) => {
    await compareReaders(bytes);
    file ??= join(newFolder(), 'archive.tar');
    writeFileSync(file, bytes);
    const path = file;
    const disk = new DiskBudget(MiB);
    const open: readonly (() => Source)[] = [
      () => new DockerArchiveSource({ ...place(path, disk), wanted: only }),
      () => new DockerArchiveSource({ ...place(path, disk), wanted: { ...only, name: 'app:1' } }),
      () => new DockerArchiveSource({ ...place(path, disk), wanted: { ...only, position: 1 } }),
      () => new LayoutSource({ ...place(path, disk), wanted: onlyImage }),
      () => new LayoutSource({ ...place(path, disk), wanted: { ...onlyImage, tag: 'app:1' } }),
    ];
    for (const each of open) await outcomeOf(() => readAll(each()));
  },
};
