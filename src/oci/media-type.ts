/**
 * The media types of images, in two families (image-spec media-types.md; Docker Image Manifest V2, Schema 2). Called wherever
 * a manifest is read or written, and for new layers.
 */
export type Family = 'oci' | 'docker';

export const mediaTypes = {
  ociManifest: 'application/vnd.oci.image.manifest.v1+json',
  ociIndex: 'application/vnd.oci.image.index.v1+json',
  ociConfig: 'application/vnd.oci.image.config.v1+json',
  dockerManifest: 'application/vnd.docker.distribution.manifest.v2+json',
  dockerList: 'application/vnd.docker.distribution.manifest.list.v2+json',
  dockerConfig: 'application/vnd.docker.container.image.v1+json',
  dockerSchema1: 'application/vnd.docker.distribution.manifest.v1+json',
  dockerSchema1Signed: 'application/vnd.docker.distribution.manifest.v1+prettyjws',
  /** Release candidates of OCI 1.1 had it, and some registries still hold such. */
  ociArtifact: 'application/vnd.oci.artifact.manifest.v1+json',
  orasArtifact: 'application/vnd.cncf.oras.artifact.manifest.v1+json',
} as const;

/** A row of media types for each compression; null where the family has none. */
const layerTypes = {
  none: {
    oci: 'application/vnd.oci.image.layer.v1.tar',
    docker: 'application/vnd.docker.image.rootfs.diff.tar',
  },
  gzip: {
    oci: 'application/vnd.oci.image.layer.v1.tar+gzip',
    docker: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
  },
  // Docker has no type for zstd, and podman and skopeo refuse an invented one: such a manifest becomes OCI.
  zstd: { oci: 'application/vnd.oci.image.layer.v1.tar+zstd', docker: null },
} as const satisfies Record<string, Readonly<Record<Family, string | null>>>;

/** How the tar of a layer is packed. */
export type Compression = keyof typeof layerTypes;

export const compressions = Object.keys(layerTypes) as readonly Compression[];

/** Returns the media type of a layer, or null where the family has none. */
export function layerMediaType(family: Family, compression: Compression): string | null {
  return layerTypes[compression][family];
}

/** What a descriptor among the layers of a manifest stands for. */
export type LayerKind =
  | { readonly kind: 'layer'; readonly family: Family; readonly compression: Compression }
  /** A non-distributable ("foreign") layer. Its bytes need not be in any registry, so it is never read or copied. */
  | { readonly kind: 'foreign' }
  /** An encrypted layer, or another type that is not a plain layer. */
  | { readonly kind: 'unknown' };

const byType = new Map<string, LayerKind>();
for (const family of ['oci', 'docker'] as const) {
  for (const compression of compressions) {
    const type = layerMediaType(family, compression);
    if (type !== null) byType.set(type, { kind: 'layer', family, compression });
  }
}

/** BuildKit writes it, and Docker, containerd and crane read it. Podman and skopeo refuse it, so it is read and not written. */
const dockerZstd = 'application/vnd.docker.image.rootfs.diff.tar.zstd';
byType.set(dockerZstd, { kind: 'layer', family: 'docker', compression: 'zstd' });

/** Returns the media type of a layer in the family of another type. */
export function layerTypeLike(mediaType: string, compression: Compression): string {
  return layerMediaType(familyOf(mediaType), compression) ?? dockerZstd;
}

/** Returns whether a media type is the one that its family has for layers of a format. */
export function isTypeFor(mediaType: string, compression: Compression): boolean {
  return layerMediaType(familyOf(mediaType), compression) === mediaType;
}

/** Tells what the media type of a layer says. */
export function layerKind(mediaType: string): LayerKind {
  const known = byType.get(mediaType);
  if (known !== undefined) return known;
  if (
    /^application\/vnd\.(?:oci\.image\.layer\.nondistributable|docker\.image\.rootfs\.foreign)\./.test(
      mediaType,
    )
  ) {
    return { kind: 'foreign' };
  }
  return { kind: 'unknown' };
}

export function isIndexType(mediaType: string): boolean {
  return mediaType === mediaTypes.ociIndex || mediaType === mediaTypes.dockerList;
}

export function isManifestType(mediaType: string): boolean {
  return mediaType === mediaTypes.ociManifest || mediaType === mediaTypes.dockerManifest;
}

/** Returns whether a type is that of Docker's first manifests, which ocislim does not read. */
export function isSchema1Type(mediaType: string): boolean {
  return mediaType === mediaTypes.dockerSchema1 || mediaType === mediaTypes.dockerSchema1Signed;
}

export function isConfigType(mediaType: string): boolean {
  return mediaType === mediaTypes.ociConfig || mediaType === mediaTypes.dockerConfig;
}

/** Returns the family of a manifest, index or config. Default for unknown types: OCI. */
export function familyOf(mediaType: string): Family {
  return mediaType.startsWith('application/vnd.docker.') ? 'docker' : 'oci';
}
