/**
 * The contents of the embedded registry: repositories, manifests and blobs in one OCI layout. The handlers of requests read and
 * change it.
 */
import { unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { makeDescriptor } from '../../oci/descriptor.ts';
import { type Digest, hasher } from '../../oci/digest.ts';
import type { JsonObject } from '../../oci/json.ts';
import type { ByteStream } from '../../stream/byte-stream.ts';
import { streamOf } from '../../stream/collect.ts';
import { BlobFile } from '../../files/blob-file.ts';
import { fileSize, openFile, readRange } from '../../files/file-bytes.ts';
import { makeFolders } from '../../files/make-folders.ts';
import { blobName } from '../layout/layout-files.ts';
import { refNameKey } from '../layout/layout-index.ts';
import { updateIndex } from '../layout/layout-update.ts';
import { containedPath } from './contained-files.ts';
import {
  type ManifestFacts,
  placementOf,
  RepositoryIndex,
  repositoryKey,
  type RepositoryView,
} from './repository-index.ts';
import type { TagOrDigest } from './route.ts';

const empty: RepositoryView = { tags: new Map(), manifests: new Map(), blobs: new Set() };

/**
 * The repositories of a registry. index.json tells what each holds; blobs that were uploaded or mounted and have no manifest yet,
 * and those that were removed although a manifest names them, are known in this process only.
 */
export class RegistryStore {
  readonly folder: string;
  readonly #defaultRepository: string;
  readonly #index: RepositoryIndex;
  /** Blobs by repository that no manifest needs to name. */
  readonly #added = new Map<string, Set<Digest>>();
  /** Blobs and manifests by repository that are hidden, whatever names them. */
  readonly #removed = new Map<string, Set<Digest>>();

  constructor(folder: string, defaultRepository: string) {
    this.folder = folder;
    this.#defaultRepository = defaultRepository;
    this.#index = new RepositoryIndex(folder, defaultRepository);
  }

  /** Returns the names of all repositories, sorted. */
  async repositories(signal: AbortSignal): Promise<readonly string[]> {
    const views = await this.#index.views(signal);
    return [...new Set([...views.keys(), ...this.#added.keys()])].sort();
  }

  /** Returns the tags of a repository, sorted; null for an unknown repository. */
  async tags(repository: string, signal: AbortSignal): Promise<readonly string[] | null> {
    const view = await this.#view(repository, signal);
    if (view === empty && !this.#added.has(repository)) return null;
    return [...view.tags.keys()].sort();
  }

  /** Finds a manifest by tag or digest. */
  async manifest(repository: string, name: TagOrDigest, signal: AbortSignal): Promise<ManifestFacts | null> {
    const view = await this.#view(repository, signal);
    const digest = name.kind === 'tag' ? view.tags.get(name.tag) : name.digest;
    if (digest === undefined || this.#isRemoved(repository, digest)) return null;
    return view.manifests.get(digest) ?? null;
  }

  /** Returns the manifests with this subject (distribution-spec, "Listing Referrers"). */
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

  /** Returns the length of a blob in bytes; null where this repository does not have it. */
  async blobSize(repository: string, digest: Digest, signal: AbortSignal): Promise<number | null> {
    if (this.#isRemoved(repository, digest)) return null;
    const known =
      this.#added.get(repository)?.has(digest) === true ||
      (await this.#view(repository, signal)).blobs.has(digest);
    const path = known ? await containedPath(this.folder, blobName(digest)) : null;
    return path === null ? null : fileSize(path);
  }

  /** Streams a part of a blob or manifest. A file that another program has removed gives no bytes. */
  async *read(digest: Digest, start: number, length: number, signal: AbortSignal): ByteStream {
    const path = await containedPath(this.folder, blobName(digest));
    const file = path === null ? null : await openFile(path);
    if (file === null) return;
    await using handle = file.handle;
    yield* readRange(handle, start, length, signal);
  }

  /** Creates a file for a blob. `addBlob` moves it to its place. */
  createBlob(): Promise<BlobFile> {
    return BlobFile.create(join(this.folder, 'blobs', 'sha256'));
  }

  /** Compares a file with its digest, and makes it a blob of a repository. Removes it otherwise. @throws DIGEST_MISMATCH, IO */
  async addBlob(repository: string, file: BlobFile, digest: Digest): Promise<void> {
    try {
      await file.seal(digest, file.size, false, 'the blob');
      await makeFolders(dirname(this.#path(digest)));
      await file.moveTo(this.#path(digest));
    } catch (error) {
      await file.drop();
      throw error;
    }
    this.mountBlob(repository, digest);
  }

  /** Makes a stored blob a blob of this repository too. */
  mountBlob(repository: string, digest: Digest): void {
    setIn(this.#added, repository).add(digest);
    this.#removed.get(repository)?.delete(digest);
  }

  /** Hides a blob from a repository. Its file is removed when no repository has it any more. */
  async removeBlob(repository: string, digest: Digest, signal: AbortSignal): Promise<void> {
    this.#added.get(repository)?.delete(digest);
    setIn(this.#removed, repository).add(digest);
    await this.#unlinkUnused(digest, signal);
  }

  /** Stores a manifest that the caller has checked, under its digest and optionally a tag. */
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
    // Manifests are found by index.json, and are not blobs of the repository.
    this.#added.get(repository)?.delete(digest);
    const row = makeDescriptor(mediaType, digest, bytes.length).json;
    await this.#update((rows) => this.#withManifest(rows, repository, tag, row), signal);
  }

  /** Removes a tag. Its manifest can still be found by digest. */
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

  /** Changes index.json, also against other programs that write into the layout. */
  #update(
    change: (rows: readonly JsonObject[]) => readonly JsonObject[],
    signal: AbortSignal,
  ): Promise<void> {
    return updateIndex(this.folder, change, signal);
  }

  /** Returns the rows with a manifest, which gets the tag if one is given. */
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

  /** Returns the rows without a tag. A manifest that loses its last row gets one without a tag. */
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

  /** Removes the file of a blob or manifest that no repository has. */
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

/** Computes a digest by the algorithm of another one. Default: sha256. */
export function digestLike(like: Digest | null, bytes: Uint8Array): Digest {
  const hash = hasher(like);
  hash.update(bytes);
  return hash.digest();
}
