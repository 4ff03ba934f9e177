import { mkdir, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { makeDescriptor } from '../../oci/descriptor.ts';
import { type Digest, hasher } from '../../oci/digest.ts';
import type { JsonObject } from '../../oci/json.ts';
import type { ByteStream } from '../../stream/byte-stream.ts';
import { streamOf } from '../../stream/collect.ts';
import { BlobFile } from '../../files/blob-file.ts';
import { fileSize, openFile, readRange } from '../../files/file-bytes.ts';
import { blobName } from '../layout/layout-files.ts';
import { refNameKey } from '../layout/layout-index.ts';
import { updateIndex } from '../layout/layout-update.ts';
import {
  type ManifestFacts,
  placementOf,
  RepositoryIndex,
  repositoryKey,
  type RepositoryView,
} from './repository-index.ts';
import type { Name } from './route.ts';

const empty: RepositoryView = { tags: new Map(), manifests: new Map(), blobs: new Set() };

/**
 * The repositories of a registry, kept in one OCI layout. What a repository holds is told by index.json; that a blob
 * was uploaded or mounted without a manifest yet, or removed under one, is known until the server ends.
 */
export class RegistryStore {
  readonly folder: string;
  readonly #defaultRepository: string;
  readonly #index: RepositoryIndex;
  readonly #added = new Map<string, Set<Digest>>();
  readonly #removed = new Map<string, Set<Digest>>();

  constructor(folder: string, defaultRepository: string) {
    this.folder = folder;
    this.#defaultRepository = defaultRepository;
    this.#index = new RepositoryIndex(folder, defaultRepository);
  }

  /** The names of all repositories, sorted. */
  async repositories(signal: AbortSignal): Promise<readonly string[]> {
    const views = await this.#index.views(signal);
    return [...new Set([...views.keys(), ...this.#added.keys()])].sort();
  }

  /** The tags of a repository, sorted; null when there is no such repository. */
  async tags(repository: string, signal: AbortSignal): Promise<readonly string[] | null> {
    const view = await this.#view(repository, signal);
    if (view === empty && !this.#added.has(repository)) return null;
    return [...view.tags.keys()].sort();
  }

  async manifest(repository: string, name: Name, signal: AbortSignal): Promise<ManifestFacts | null> {
    const view = await this.#view(repository, signal);
    const digest = name.kind === 'tag' ? view.tags.get(name.tag) : name.digest;
    if (digest === undefined || this.#isRemoved(repository, digest)) return null;
    return view.manifests.get(digest) ?? null;
  }

  /** The manifests whose subject this is (distribution-spec, "Listing Referrers"). */
  async referrers(
    repository: string,
    subject: Digest,
    signal: AbortSignal,
  ): Promise<readonly ManifestFacts[]> {
    const { manifests } = await this.#view(repository, signal);
    return [...manifests.values()].filter(
      (facts) => facts.subject === subject && !this.#isRemoved(repository, facts.descriptor.digest),
    );
  }

  /** The size of a blob of this repository; null when it has none such. */
  async blobSize(repository: string, digest: Digest, signal: AbortSignal): Promise<number | null> {
    if (this.#isRemoved(repository, digest)) return null;
    const known =
      this.#added.get(repository)?.has(digest) === true ||
      (await this.#view(repository, signal)).blobs.has(digest);
    return known ? fileSize(this.#path(digest)) : null;
  }

  /** Bytes of a blob or manifest that is known to be there. */
  async *read(digest: Digest, start: number, length: number, signal: AbortSignal): ByteStream {
    const file = await openFile(this.#path(digest));
    if (file === null) return;
    try {
      yield* readRange(file.handle, start, length, signal);
    } finally {
      await file.handle.close();
    }
  }

  /** A new file for a blob to come; rename it into place with `addBlob`. */
  createBlob(): Promise<BlobFile> {
    return BlobFile.create(join(this.folder, 'blobs', 'sha256'));
  }

  /** @throws DIGEST_MISMATCH; the file is gone then */
  async addBlob(repository: string, file: BlobFile, digest: Digest): Promise<void> {
    try {
      await file.seal(digest, file.size, false, 'the blob');
      await mkdir(dirname(this.#path(digest)), { recursive: true });
      await file.moveTo(this.#path(digest));
    } catch (error) {
      await file.drop();
      throw error;
    }
    this.mountBlob(repository, digest);
  }

  /** Makes a blob that is there a blob of this repository too. */
  mountBlob(repository: string, digest: Digest): void {
    setIn(this.#added, repository).add(digest);
    this.#removed.get(repository)?.delete(digest);
  }

  async removeBlob(repository: string, digest: Digest, signal: AbortSignal): Promise<void> {
    this.#added.get(repository)?.delete(digest);
    setIn(this.#removed, repository).add(digest);
    await this.#unlinkUnused(digest, signal);
  }

  /** Stores a manifest that has been checked, under its digest and perhaps a tag. */
  async putManifest(
    repository: string,
    tag: string | null,
    manifest: { readonly mediaType: string; readonly digest: Digest; readonly bytes: Uint8Array },
    signal: AbortSignal,
  ): Promise<void> {
    const { mediaType, digest, bytes } = manifest;
    const file = await this.createBlob();
    try {
      await file.append(streamOf(bytes), signal);
    } catch (error) {
      await file.drop();
      throw error;
    }
    await this.addBlob(repository, file, digest);
    // As a blob of its own it is of no interest: manifests are found by index.json.
    this.#added.get(repository)?.delete(digest);
    const row = makeDescriptor(mediaType, digest, bytes.length).json;
    await this.#update((rows) => this.#withManifest(rows, repository, tag, row), signal);
  }

  async removeTag(repository: string, tag: string, signal: AbortSignal): Promise<void> {
    await this.#update((rows) => this.#untag(rows, repository, tag), signal);
  }

  /** Removes a manifest with all its tags. */
  async removeManifest(repository: string, digest: Digest, signal: AbortSignal): Promise<void> {
    await this.#update(
      (rows) => rows.filter((row) => row['digest'] !== digest || this.#place(row)?.repository !== repository),
      signal,
    );
    setIn(this.#removed, repository).add(digest);
    await this.#unlinkUnused(digest, signal);
  }

  #update(
    change: (rows: readonly JsonObject[]) => readonly JsonObject[],
    signal: AbortSignal,
  ): Promise<void> {
    return updateIndex(this.folder, change, signal);
  }

  #withManifest(
    rows: readonly JsonObject[],
    repository: string,
    tag: string | null,
    row: JsonObject,
  ): readonly JsonObject[] {
    const here = (other: JsonObject) =>
      other['digest'] === row['digest'] && this.#place(other)?.repository === repository;
    if (tag === null) return rows.some(here) ? rows : [...rows, untaggedRow(row, repository)];
    const others = this.#untag(rows, repository, tag).filter(
      (other) => !here(other) || this.#place(other)?.tag !== null,
    );
    const annotations = { [refNameKey]: `${repository}:${tag}`, [repositoryKey]: repository };
    return [...others, { ...row, annotations }];
  }

  /** Takes a tag away; its manifest stays reachable by digest. */
  #untag(rows: readonly JsonObject[], repository: string, tag: string): readonly JsonObject[] {
    const isTag = (row: JsonObject) => {
      const placement = this.#place(row);
      return placement?.repository === repository && placement.tag === tag;
    };
    const rest = rows.filter((row) => !isTag(row));
    const lost = rows.filter(
      (row) =>
        isTag(row) &&
        !rest.some(
          (other) => other['digest'] === row['digest'] && this.#place(other)?.repository === repository,
        ),
    );
    return [...rest, ...lost.map((row) => untaggedRow(row, repository))];
  }

  #place(row: JsonObject) {
    return placementOf(row, this.#defaultRepository);
  }

  async #unlinkUnused(digest: Digest, signal: AbortSignal): Promise<void> {
    for (const [repository, view] of await this.#index.views(signal)) {
      const used = view.blobs.has(digest) || view.manifests.has(digest);
      if (used && !this.#isRemoved(repository, digest)) return;
    }
    if ([...this.#added.values()].some((blobs) => blobs.has(digest))) return;
    await unlink(this.#path(digest)).catch(() => {});
  }

  #isRemoved(repository: string, digest: Digest): boolean {
    return this.#removed.get(repository)?.has(digest) === true;
  }

  async #view(repository: string, signal: AbortSignal): Promise<RepositoryView> {
    return (await this.#index.views(signal)).get(repository) ?? empty;
  }

  #path(digest: Digest): string {
    return join(this.folder, blobName(digest));
  }
}

function untaggedRow({ mediaType, digest, size }: JsonObject, repository: string): JsonObject {
  return { mediaType, digest, size, annotations: { [repositoryKey]: repository } };
}

function setIn(sets: Map<string, Set<Digest>>, key: string): Set<Digest> {
  const found = sets.get(key) ?? new Set<Digest>();
  sets.set(key, found);
  return found;
}

/** The digest of bytes by the algorithm of another one. */
export function digestLike(like: Digest | null, bytes: Uint8Array): Digest {
  const hash = hasher(like);
  hash.update(bytes);
  return hash.digest();
}
