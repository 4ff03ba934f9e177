import { OcislimError } from '../../errors.ts';
import { type OriginalOptions, findOriginals, type Originals } from '../../jobs/originals.ts';
import { formatReference, parseReference, type Reference } from '../../oci/reference.ts';
import type { Source } from '../../place/place.ts';
import type { Session } from '../session.ts';

/** The places that the originals of a run are read from; close them when the run is over. */
export class OriginalPlaces {
  readonly #session: Session;
  readonly #slim: Reference;
  readonly #opened = new Map<string, Promise<Source>>();

  /** `slim`: the image that is to get its files back. */
  constructor(session: Session, slim: Reference) {
    this.#session = session;
    this.#slim = slim;
  }

  /** `name`: what --original says; null to go by what the images say. @throws NOT_FOUND, ORIGINAL_MISMATCH */
  async find(source: Source, name: string | null): Promise<Originals> {
    const given = name === null ? null : await this.#open(parseReference(name));
    const open: OriginalOptions['open'] = async (origin) => {
      if (origin.name === null) return [];
      const reference = parseReference(origin.name);
      this.#requireSamePlace(reference);
      if (reference.kind === 'docker-archive') return [await this.#open(reference)];
      // An archive or a layout finds by digest only what its index names itself.
      const named = { ...reference, digest: origin.digest };
      return [await this.#open(named), await this.#open(reference)];
    };
    const { platforms, limits, signal } = this.#session;
    return findOriginals(source, { platforms, given, limits, open, signal });
  }

  async close(): Promise<void> {
    for (const source of this.#opened.values()) await (await source).close();
  }

  /**
   * An image out of a registry may be anybody's: on its word no other host is asked, and no file of this machine is read.
   * @throws NOT_FOUND
   */
  #requireSamePlace(original: Reference): void {
    const slim = this.#slim;
    if (slim.kind !== 'registry' || (original.kind === 'registry' && original.host === slim.host)) return;
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
    const source = this.#session.openBase(reference);
    this.#opened.set(name, source);
    return source;
  }
}
