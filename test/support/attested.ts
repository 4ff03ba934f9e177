/**
 * A multi-platform image with what may speak of it: a signature of the index by its subject and one under a tag of cosign, an SBOM of one
 * platform, a statement about that SBOM, and an attestation of BuildKit in the index. Tests copy and rewrite it.
 */
import { artifactOf, blobOf, imageFor, indexOf, rowOf } from './artifacts.ts';
import { type BuiltTree, buildAttestation, type BuiltImage, buildImage } from './image-builder.ts';
import { tar } from './model/shorthand.ts';

type Json = Readonly<Record<string, unknown>>;

export const bundleType = 'application/vnd.dev.sigstore.bundle.v0.3+json';
export const signPredicate = 'https://sigstore.dev/cosign/sign/v1';
const emptyConfig = blobOf('application/vnd.oci.empty.v1+json', '{}');

/** Returns an artifact about a tree. */
function about(subject: BuiltTree, artifactType: string, text: string, annotations: Json = {}): BuiltTree {
  const { mediaType, digest, size } = subject.descriptor;
  return artifactOf(emptyConfig, [blobOf(artifactType, text)], {
    artifactType,
    subject: { mediaType, digest, size },
    ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
  });
}

export const amd: BuiltImage = buildImage({
  layers: [tar('etc/motd=hello')],
  compress: 'gzip',
  platform: { os: 'linux', architecture: 'amd64' },
});
export const arm: BuiltTree = imageFor('arm64', 'etc/motd=there');
export const attestation: BuiltTree = buildAttestation(amd);
export const index: BuiltTree = indexOf([
  { ...amd, descriptor: { ...amd.descriptor, platform: { os: 'linux', architecture: 'amd64' } } },
  { ...arm, descriptor: { ...arm.descriptor, platform: { os: 'linux', architecture: 'arm64' } } },
  attestation,
]);

export const signature: BuiltTree = about(index, bundleType, '{"signed":1}', {
  'dev.sigstore.bundle.content': 'dsse-envelope',
  'dev.sigstore.bundle.predicateType': signPredicate,
});
export const sbom: BuiltTree = about(amd, 'application/spdx+json', '{"spdxVersion":"SPDX-2.3"}');
export const statement: BuiltTree = about(sbom, 'application/vnd.example.approval', 'approved');
export const cosign: BuiltTree = artifactOf(
  blobOf('application/vnd.oci.image.config.v1+json', '{"rootfs":{"type":"layers","diff_ids":[]}}'),
  [blobOf('application/vnd.dev.cosign.simplesigning.v1+json', '{"critical":{}}')],
);

export function tagOf({ descriptor }: BuiltTree): string {
  return descriptor.digest.replace(':', '-');
}

/** Returns the index of referrers that stands under the tag of a subject. `stale`: without types and annotations (cosign#5098). */
function listOf(referrers: readonly BuiltTree[], stale: boolean): BuiltTree {
  return indexOf(
    referrers.map((tree) => {
      const json = JSON.parse(new TextDecoder().decode(tree.blobs.get(tree.descriptor.digest))) as Json;
      const { artifactType, annotations } = json;
      return rowOf(tree, stale ? {} : { artifactType, annotations });
    }),
  );
}

/** Returns the rows of a layout with the image, `app`, and all that speaks of it. */
export function attested(stale = false): Readonly<Record<string, BuiltTree>> {
  return {
    app: index,
    [tagOf(index)]: listOf([signature], stale),
    [tagOf(amd)]: listOf([sbom], stale),
    [tagOf(sbom)]: listOf([statement], stale),
    [`${tagOf(index)}.sig`]: cosign,
  };
}

/** A signature of the attestation in the index, as `cosign sign --recursive` makes it, and the tag under which it stands. */
export const rowSignature: BuiltTree = about(attestation, bundleType, '{"signed":"the attestation"}');
export const rowTag = tagOf(attestation);

/** All that speaks of the image and is not in its index. */
export const artifacts: readonly BuiltTree[] = [signature, sbom, statement, cosign];
