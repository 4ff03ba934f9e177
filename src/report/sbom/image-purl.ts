import type { BilledImage } from '../../analyze/bill.ts';
import { writePurl } from '../../rootfs/packages/purl.ts';

/** Returns the package URL of an image, whose version is the digest of its manifest (definition of the type `oci`). */
export function imagePurl({
  name,
  digest,
  architecture,
  repository,
  tag,
}: Pick<BilledImage, 'name' | 'digest' | 'architecture' | 'repository' | 'tag'>): string | null {
  if (name === '') return null;
  return writePurl({
    type: 'oci',
    namespace: '',
    name: name.toLowerCase(),
    version: digest,
    qualifiers: { arch: architecture, repository_url: repository, tag },
  });
}
