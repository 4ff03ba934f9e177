/** The annotations, and labels, in which images name their base (image-spec annotations.md): a reference, and the digest of a manifest or index. */
export const baseName = 'org.opencontainers.image.base.name';
export const baseDigest = 'org.opencontainers.image.base.digest';
