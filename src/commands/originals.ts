/** Finds what a pruned image was made from. Caller: the command `restore`. */
import { OcislimError } from '../errors.ts';
import { type OriginalOptions, findOriginals, type Originals } from '../jobs/originals.ts';
import { readSource } from '../jobs/read-reference.ts';
import type { Origin } from '../image/origin.ts';
import type { Platform } from '../oci/platform.ts';
import {
  formatReference,
  hostOf,
  isStreamText,
  parseReference,
  type Reference,
  withDigest,
} from '../oci/reference.ts';
import type { Source } from '../place/place.ts';
import type { Workspace } from './workspace.ts';

/** Finds the originals of the images of a source. */
export class OriginalPlaces {
  readonly #workspace: Workspace;
  readonly #slim: Reference;
  readonly #opened = new Map<string, Promise<Source>>();

  /** `slim`: the image that gets its files back. The workspace closes what is opened. */
  constructor(workspace: Workspace, slim: Reference) {
    this.#workspace = workspace;
    this.#slim = slim;
  }

  /** Finds them by name, from --original; null: by what the images say. @throws NOT_FOUND, ORIGINAL_MISMATCH */
  async find(source: Source, name: string | null, platforms: readonly Platform[]): Promise<Originals> {
    const given = name === null ? null : await this.#open(await readSource(name));
    const { limits, signal } = this.#workspace;
    const open: OriginalOptions['open'] = (origin) => this.#openOrigin(origin);
    return findOriginals(source, { platforms, given, limits, open, signal });
  }

  async #openOrigin(origin: Origin): Promise<readonly Source[]> {
    if (origin.name === null || isStreamText(origin.name)) return [];
    const reference = parseReference(origin.name);
    this.#requireSamePlace(reference);
    // An archive or a layout finds by digest only what its index names itself.
    const named = withDigest(reference, origin.digest);
    if (named === reference) return [await this.#open(reference)];
    return [await this.#open(named), await this.#open(reference)];
  }

  /**
   * Refuses an original on another host: an image from a registry may be anyone's, and on its word no other host is asked and
   * no local file is read.
   * @throws NOT_FOUND
   */
  #requireSamePlace(original: Reference): void {
    const slim = this.#slim;
    if (hostOf(slim) === null || hostOf(original) === hostOf(slim)) return;
    const name = formatReference(original);
    throw new OcislimError(
      'NOT_FOUND',
      `${formatReference(slim)} says that its original is ${name}, which is not on the same host`,
      { advice: `If that is the right place, say so: --original ${name}` },
    );
  }

  #open(reference: Reference): Promise<Source> {
    const name = formatReference(reference);
    const known = this.#opened.get(name);
    if (known !== undefined) return known;
    const source = this.#workspace.openBeside(this.#slim, reference);
    this.#opened.set(name, source);
    return source;
  }
}
