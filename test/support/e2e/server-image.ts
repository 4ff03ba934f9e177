/**
 * Makes images of servers: a layer with files and a configuration, over an image of fixtures/images or over nothing. The tests of
 * `slim --record` start them.
 */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { buildImage, digestOf, jsonBytes, MEDIA_TYPES, writeLayout } from '../image-builder.ts';
import { type EntrySpec, writeTar } from '../model/tar-bytes.ts';
import { type JudgedConfig, openLayout } from './judge.ts';

/** The members of an image's configuration that say how it runs, as Docker writes them. */
export interface ServerConfig {
  readonly Entrypoint: readonly string[];
  readonly Cmd?: readonly string[];
  readonly User?: string;
  readonly WorkingDir?: string;
  readonly Env?: readonly string[];
  readonly ExposedPorts?: Readonly<Record<string, object>>;
  readonly Volumes?: Readonly<Record<string, object>>;
  readonly StopSignal?: string;
  readonly Healthcheck?: { readonly Test: readonly string[] };
}

/** An image to make. */
export interface ServerImage {
  /** The layout, tag `v1`, whose layers are below; null for none. */
  readonly base: string | null;
  readonly entries: readonly EntrySpec[];
  readonly config: ServerConfig;
}

/** Returns what is in a folder as entries of a layer: all belong to root, and scripts stay executable. */
export function entriesOf(folder: string, prefix = ''): EntrySpec[] {
  return readdirSync(folder)
    .toSorted()
    .flatMap((name): EntrySpec[] => {
      const [path, at] = [join(folder, name), `${prefix}${name}`];
      const stat = statSync(path);
      if (stat.isDirectory())
        return [{ name: `${at}/`, type: 'dir', mode: 0o755 }, ...entriesOf(path, `${at}/`)];
      const mode = (stat.mode & 0o100) === 0 ? 0o644 : 0o755;
      return [{ name: at, mode, mtime: '1700000000', body: readFileSync(path) }];
    });
}

/** Returns a folder that belongs to a user, as an entry of a layer. */
export const folderOf = (name: string, id: number, mode = 0o755): EntrySpec => ({
  name: `${name}/`,
  type: 'dir',
  mode,
  uid: id,
  gid: id,
});

/** Writes the image as an OCI layout, tag `v1`, into a folder that is not there yet. */
export async function writeServerImage(layout: string, image: ServerImage): Promise<void> {
  if (existsSync(layout)) throw new Error(`${layout} exists`);
  const tar = writeTar(image.entries);
  if (image.base === null) {
    const built = buildImage({ layers: [tar], config: { config: image.config } });
    return writeLayout(layout, { v1: built });
  }
  mkdirSync(layout, { recursive: true });
  cpSync(image.base, layout, { recursive: true });
  const { manifest, config } = await openLayout(layout);
  const put = (bytes: Uint8Array) => {
    const digest = digestOf(bytes);
    writeFileSync(join(layout, 'blobs', ...digest.split(':')), bytes);
    return { digest, size: bytes.length };
  };
  const layer = { mediaType: MEDIA_TYPES.oci.layer.gzip, ...put(gzipSync(tar)) };
  const changed = put(jsonBytes(withLayer(config, image.config, digestOf(tar))));
  const written = put(
    jsonBytes({
      ...manifest,
      config: { ...manifest.config, ...changed },
      layers: [...manifest.layers, layer],
    }),
  );
  const annotations = { 'org.opencontainers.image.ref.name': 'v1' };
  const manifests = [{ mediaType: MEDIA_TYPES.oci.manifest, ...written, annotations }];
  writeFileSync(join(layout, 'index.json'), jsonBytes({ schemaVersion: 2, manifests }));
}

/** Returns the configuration of the base with one more layer, which runs as `run` says. */
function withLayer(
  base: JudgedConfig & { readonly config?: object },
  run: ServerConfig,
  diffId: string,
): object {
  const { diff_ids: diffIds } = base.rootfs;
  return {
    ...base,
    config: { ...base.config, ...run },
    rootfs: { type: 'layers', diff_ids: [...diffIds, diffId] },
    history: [...(base.history ?? []), { created_by: 'COPY server /' }],
  };
}
