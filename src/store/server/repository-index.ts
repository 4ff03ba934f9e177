/**
 * Which repositories, tags and manifests the index.json of a layout means, for the embedded registry. Called by
 * registry-store.ts, which writes index.json.
 */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Descriptor, makeDescriptor, parseDescriptor } from '../../oci/descriptor.ts';
import { type Digest, isDigest } from '../../oci/digest.ts';
import { isJsonObject, type JsonObject, parseJsonObject } from '../../oci/json.ts';
import { isDocument, rowKind } from '../../oci/named.ts';
import { readSmallFile } from '../../files/file-bytes.ts';
import {
  annotation,
  type LayoutEntry,
  maxIndex,
  parseIndexFile,
  readEntry,
  refNameKey,
} from '../layout/layout-index.ts';
import { onlyImage } from '../layout/layout-choice.ts';
import { LayoutSource } from '../layout/layout-source.ts';
import { containedFiles } from './contained-files.ts';
import { isRepository, isTag } from '../../oci/names.ts';

/** The annotation in index.json for the repository of an entry. Entries of other programs have their names only. */
export const repositoryKey = 'vnd.ocislim.repository';

/** What a registry must know of a manifest. */
export interface ManifestFacts {
  readonly descriptor: Descriptor;
  /** Config and layers. */
  readonly blobs: readonly Digest[];
  /** Rows of an index: manifests, or blobs. */
  readonly children: readonly Descriptor[];
  readonly subject: Digest | null;
  readonly artifactType: string | null;
  readonly annotations: JsonObject | null;
}

/** The contents of one repository, as far as manifests name them. */
export interface RepositoryView {
  readonly tags: ReadonlyMap<string, Digest>;
  /** Tagged and untagged manifests, and the children of indexes. */
  readonly manifests: ReadonlyMap<Digest, ManifestFacts>;
  /** Configs and layers of all manifests. */
  readonly blobs: ReadonlySet<Digest>;
}

/** Where an entry of index.json appears in the registry. */
export interface Placement {
  readonly repository: string;
  /** Null for a manifest that is found by its digest only. */
  readonly tag: string | null;
}

/**
 * Reads where an entry of index.json appears: under `repository:tag`, or under a bare tag in the default repository. An entry
 * without a name is an untagged manifest of the repository that it is marked with. Null for names that a registry cannot have.
 */
export function placementOf(row: JsonObject, defaultRepository: string): Placement | null {
  const name = annotation(row, refNameKey);
  const marked = annotation(row, repositoryKey);
  if (name === null)
    return { repository: marked !== null && isRepository(marked) ? marked : defaultRepository, tag: null };
  const colon = name.lastIndexOf(':');
  const repository = colon < 0 ? defaultRepository : name.slice(0, colon);
  const tag = name.slice(colon + 1);
  return isRepository(repository) && isTag(tag) ? { repository, tag } : null;
}

/**
 * The repositories of a layout, read from index.json and the manifests that it names. They are read again whenever the file has
 * changed, since other programs may write into the layout too.
 */
export class RepositoryIndex {
  readonly #folder: string;
  readonly #defaultRepository: string;
  readonly #source: LayoutSource;
  /** Manifests that were read before, by digest: their content cannot change. */
  readonly #facts = new Map<Digest, ManifestFacts>();
  /** The state of index.json that `#views` were read from. */
  #stamp = '';
  #views: ReadonlyMap<string, RepositoryView> = new Map();
  #reading: Promise<void> = Promise.resolve();

  constructor(folder: string, defaultRepository: string) {
    this.#folder = folder;
    this.#defaultRepository = defaultRepository;
    this.#source = new LayoutSource({ label: folder, files: containedFiles(folder), wanted: onlyImage });
  }

  /** Returns the repositories by name. @throws ARCHIVE_INVALID, IO */
  async views(signal: AbortSignal): Promise<ReadonlyMap<string, RepositoryView>> {
    const refresh = this.#reading.then(() => this.#refresh(signal));
    this.#reading = refresh.catch(() => {});
    await refresh;
    return this.#views;
  }

  async #refresh(signal: AbortSignal): Promise<void> {
    const path = join(this.#folder, 'index.json');
    const found = await stat(path, { bigint: true }).catch(() => null);
    const stamp = found === null ? '' : `${found.ino} ${found.size} ${found.mtimeNs} ${found.ctimeNs}`;
    if (stamp === this.#stamp) return;
    const bytes = await readSmallFile(path, maxIndex, signal);
    const rows = bytes === null ? [] : parseIndexFile(bytes, this.#folder).rows;
    this.#views = await this.#readViews(rows, signal);
    this.#stamp = stamp;
  }

  async #readViews(
    rows: readonly JsonObject[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, RepositoryView>> {
    const views = new Map<string, GrowingView>();
    for (const row of rows) {
      const placement = placementOf(row, this.#defaultRepository);
      if (placement === null || !isDigest(row['digest'])) continue;
      const { repository, tag } = placement;
      const view = views.get(repository) ?? { tags: new Map(), manifests: new Map(), blobs: new Set() };
      const entry = readEntry(row, this.#folder);
      if (!(await this.#collect(entry, view, signal))) continue;
      if (tag !== null) view.tags.set(tag, entry.digest);
      views.set(repository, view);
    }
    return views;
  }

  /** Adds a manifest and all below it to a view. Returns false where the manifest itself cannot be read. */
  async #collect(entry: LayoutEntry, view: GrowingView, signal: AbortSignal): Promise<boolean> {
    const queue = [entry];
    // In a layout that other programs wrote, what an artifact is about may have no row. A push gives it one.
    const followsSubjects = annotation(entry.json, repositoryKey) === null;
    const subjects = new Set<LayoutEntry>();
    for (const next of queue) {
      if (view.manifests.has(next.digest)) continue;
      const facts = await this.#read(next, signal);
      if (facts === null) {
        if (next === entry) return false;
        if (subjects.has(next)) continue;
        // An index may list blobs, as the caches of BuildKit do.
        view.blobs.add(next.digest);
        continue;
      }
      view.manifests.set(next.digest, facts);
      for (const digest of facts.blobs) view.blobs.add(digest);
      for (const { digest, mediaType, json } of facts.children) {
        if (rowKind(mediaType) === 'blob') view.blobs.add(digest);
        else queue.push({ digest, mediaType, refName: null, imageName: null, json });
      }
      if (!followsSubjects || facts.subject === null) continue;
      const subject = { digest: facts.subject, mediaType: null, refName: null, imageName: null, json: {} };
      subjects.add(subject);
      queue.push(subject);
    }
    return true;
  }

  /** Returns null for a manifest that is missing, or is not one: a layout may be sparse, and list other things. */
  async #read(entry: LayoutEntry, signal: AbortSignal): Promise<ManifestFacts | null> {
    const known = this.#facts.get(entry.digest);
    if (known !== undefined) return known;
    try {
      const { bytes, descriptor } = await this.#source.load(entry, signal);
      const { mediaType } = descriptor;
      if (rowKind(mediaType) === 'unknown' && !isDocument(bytes, mediaType)) return null;
      const facts = readFacts(bytes, descriptor.mediaType, entry.digest);
      this.#facts.set(entry.digest, facts);
      return facts;
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof Error) return null;
      throw error;
    }
  }
}

interface GrowingView {
  readonly tags: Map<string, Digest>;
  readonly manifests: Map<Digest, ManifestFacts>;
  readonly blobs: Set<Digest>;
}

function readFacts(bytes: Uint8Array, mediaType: string, digest: Digest): ManifestFacts {
  const json = parseJsonObject(bytes, digest);
  const blobs = [json['config'], ...listOf(json['layers']), ...listOf(json['blobs'])].flatMap((blob) =>
    isJsonObject(blob) && typeof blob['size'] === 'number' ? (digestIn(blob) ?? []) : [],
  );
  const subject = digestIn(json['subject']);
  const artifactType = json['artifactType'] ?? (json['config'] as JsonObject | undefined)?.['mediaType'];
  const annotations = json['annotations'];
  return {
    descriptor: makeDescriptor(mediaType, digest, bytes.length),
    blobs,
    children: listOf(json['manifests']).flatMap((child) => childIn(child) ?? []),
    subject,
    artifactType: typeof artifactType === 'string' && artifactType !== '' ? artifactType : null,
    annotations: typeof annotations === 'object' ? (annotations as JsonObject | null) : null,
  };
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** Reads a row of an index; null for a malformed one. */
function childIn(value: unknown): Descriptor | null {
  try {
    return parseDescriptor(value, 'a row');
  } catch {
    return null;
  }
}

function digestIn(value: unknown): Digest | null {
  const digest = (value as JsonObject | null | undefined)?.['digest'];
  return isDigest(digest) ? digest : null;
}
