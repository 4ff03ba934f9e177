import { createHash, randomUUID } from 'node:crypto';
import { type Descriptor, makeDescriptor } from '../../../src/oci/descriptor.ts';
import type { Digest } from '../../../src/oci/digest.ts';

export interface StoredManifest {
  readonly mediaType: string;
  readonly bytes: Buffer;
}

export interface Upload {
  readonly id: string;
  bytes: Buffer;
  /** A number that changes with every answer, so that an old location is noticed. */
  state: number;
  patches: number;
}

/** The blobs, manifests, tags and uploads of one repository. */
export class RepositoryContent {
  readonly blobs = new Map<Digest, Buffer>();
  readonly manifests = new Map<Digest, StoredManifest>();
  readonly tags = new Map<string, Digest>();
  readonly uploads = new Map<string, Upload>();

  addBlob(bytes: Uint8Array, mediaType = 'application/vnd.oci.image.layer.v1.tar'): Descriptor {
    const digest = sha256(bytes);
    this.blobs.set(digest, Buffer.from(bytes));
    return makeDescriptor(mediaType, digest, bytes.length);
  }

  addManifest(value: unknown, mediaType: string, tag: string | null = null): Descriptor {
    const bytes = Buffer.from(JSON.stringify(value));
    const digest = sha256(bytes);
    this.manifests.set(digest, { mediaType, bytes });
    if (tag !== null) this.tags.set(tag, digest);
    return makeDescriptor(mediaType, digest, bytes.length);
  }

  find(reference: string): { readonly digest: Digest; readonly manifest: StoredManifest } | null {
    const digest = reference.includes(':') ? (reference as Digest) : this.tags.get(reference);
    const manifest = digest === undefined ? undefined : this.manifests.get(digest);
    return digest === undefined || manifest === undefined ? null : { digest, manifest };
  }

  begin(): Upload {
    const upload = { id: randomUUID(), bytes: Buffer.alloc(0), state: 1, patches: 0 };
    this.uploads.set(upload.id, upload);
    return upload;
  }
}

export function sha256(bytes: Uint8Array): Digest {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}` as Digest;
}
