/**
 * Finds the old and the new base of an image, platform by platform, and plans the rebase. The command `rebase` is made of it; what it has in
 * common with all others is in `rewrite.ts`.
 */
import { OcislimError } from '../errors.ts';
import { type Image, nameOfImage, type NamedBase } from '../image/image.ts';
import {
  type ImageMember,
  type ImageSet,
  imageMembers,
  platformOf,
  readImageSet,
} from '../jobs/image-set.ts';
import { examineRebased } from '../jobs/rebase/examine.ts';
import { readSource } from '../jobs/read-reference.ts';
import type { Digest } from '../oci/digest.ts';
import { formatPlatform, type Platform } from '../oci/platform.ts';
import { bestMatches } from '../oci/platform-choice.ts';
import {
  formatReference,
  hostOf,
  isRegistry,
  parseReference,
  type Reference,
  withDigest,
} from '../oci/reference.ts';
import { JoinedSource } from '../place/joined-source.ts';
import type { Source } from '../place/place.ts';
import { type Bases, lowestLayers, rebase } from '../rebase/rebase.ts';
import { isBelow, type StatedBase, statedBases } from '../rebase/stated-base.ts';
import type { RebaseSettings } from '../settings/tables/commands.ts';
import type { Planned } from './planned-work.ts';
import { readBeside } from './read-beside.ts';
import type { Workspace } from './workspace.ts';

/** A base image that was opened. */
interface OpenBase {
  readonly reference: Reference;
  readonly source: Source;
  readonly set: ImageSet;
}

/** The old base of one image. */
interface OldBase extends Pick<Bases, 'from' | 'fromName'> {
  /** How annotations name it; null where only its layers are known. */
  readonly named: NamedBase | null;
}

/** What places answer where an image is gone. */
const unreachable: ReadonlySet<string> = new Set(['NOT_FOUND', 'UNAUTHORIZED', 'DENIED', 'NETWORK']);

/** What planning a rebase is about. */
export interface RebaseWish {
  readonly reference: Reference;
  readonly source: Source;
  readonly settings: RebaseSettings;
}

/** Plans a rebase: reads the image and both bases, manifests and configs only. @throws NOT_FOUND, BASE_MISMATCH, and what places throw */
export async function planRebase(wish: RebaseWish, workspace: Workspace): Promise<Planned> {
  const { settings, source } = wish;
  const set = await readImageSet(source, {
    platforms: settings.platform,
    limits: workspace.limits,
    signal: workspace.signal,
  });
  const members = imageMembers(set);
  const places = new BasePlaces(wish, workspace);
  const platforms = distinct(members.map(platformOf));
  const to = await places.open(await readSource(settings.newBase ?? ''), platforms);
  workspace.bases.push({ ...read(to), role: 'new-base' });
  const found = new Map<Digest, Bases>();
  for (const member of members) {
    const { image } = member;
    const base = imageFor(member, to);
    const { named, ...from } = await places.oldBaseOf(member, set, { to, platforms });
    found.set(image.descriptor.digest, {
      ...from,
      to: base,
      names: { from: named, to: namedBase(to, base) },
    });
  }
  const own = new Set(members.flatMap(({ image }) => image.manifest.layers.map(({ digest }) => digest)));
  const others = new Map<Digest, Source>();
  for (const { to: base } of found.values())
    for (const { digest } of base.manifest.layers) if (!own.has(digest)) others.set(digest, to.source);
  const base = formatReference(to.reference);
  const { force, dryRun } = settings;
  return {
    source: new JoinedSource(source, others),
    transform: rebase((image) => basesOf(image, found)),
    examine: examineRebased({ force, dryRun, base }),
  };
}

function basesOf(image: Image, found: ReadonlyMap<Digest, Bases>): Bases {
  const bases = found.get(image.descriptor.digest);
  if (bases !== undefined) return bases;
  throw new OcislimError('NOT_FOUND', `${nameOfImage(image)} was not there when its bases were looked for`);
}

/** What an old base is looked for beside: the new one, and the platforms of the run. */
interface BesideOld {
  readonly to: OpenBase;
  readonly platforms: readonly Platform[];
}

/** Opens bases, each place once. */
class BasePlaces {
  readonly #wish: RebaseWish;
  readonly #workspace: Workspace;
  readonly #opened = new Map<string, Promise<OpenBase>>();

  constructor(wish: RebaseWish, workspace: Workspace) {
    this.#wish = wish;
    this.#workspace = workspace;
  }

  open(reference: Reference, platforms: readonly Platform[]): Promise<OpenBase> {
    const name = formatReference(reference);
    const known = this.#opened.get(name);
    if (known !== undefined) return known;
    const opening = this.#open(reference, platforms);
    this.#opened.set(name, opening);
    return opening;
  }

  async #open(reference: Reference, platforms: readonly Platform[]): Promise<OpenBase> {
    const { reference: source } = this.#wish;
    const { place, set } = await readBeside(this.#workspace, { source, reference, platforms });
    return { reference, source: place, set };
  }

  /**
   * Finds the base that an image was built on, or takes its lowest layers for one that is gone (--old-base-layers).
   * @throws NOT_FOUND, and BASE_MISMATCH where a base that is there has another number of layers
   */
  async oldBaseOf(member: ImageMember, set: ImageSet, beside: BesideOld): Promise<OldBase> {
    const { oldBaseLayers: wanted, oldBase } = this.#wish.settings;
    const found =
      wanted === null || oldBase !== null
        ? await this.findOld(member, set, beside)
        : await this.#ifThere(member, set, beside);
    if (found === null) {
      const count = wanted ?? 0;
      return { from: lowestLayers(member.image, count), fromName: `its ${count} lowest layers`, named: null };
    }
    const from = imageFor(member, found);
    const fromName = formatReference(found.reference);
    const { length } = from.config.diffIds;
    if (wanted !== null && wanted !== length)
      throw new OcislimError(
        'BASE_MISMATCH',
        `--old-base-layers ${wanted}: the old base of ${nameOfImage(member.image)} is ${fromName}, which has ${length} layers`,
        { advice: `Leave out --old-base-layers, or write ${length}.` },
      );
    return { from, fromName, named: namedBase(found, from) };
  }

  /** Finds a base that is there and below the image; null for none, since --old-base-layers says where it ends. */
  async #ifThere(member: ImageMember, set: ImageSet, beside: BesideOld): Promise<OpenBase | null> {
    const { to, platforms } = beside;
    try {
      const stated = await this.#findStated(member, set, to, platforms);
      if (!isBelow(imageFor(member, stated), member.image)) return null;
    } catch (error) {
      if (error instanceof OcislimError && unreachable.has(error.code)) return null;
      throw error;
    }
    return this.findOld(member, set, beside);
  }

  /** Finds the base that an image was built on: by --old-base, or by what the image states. @throws NOT_FOUND, BASE_MISMATCH */
  async findOld(member: ImageMember, set: ImageSet, { to, platforms }: BesideOld): Promise<OpenBase> {
    const { oldBase } = this.#wish.settings;
    const base =
      oldBase === null
        ? await this.#findStated(member, set, to, platforms)
        : await this.open(await readSource(oldBase), platforms);
    const { bases } = this.#workspace;
    const row = read(base);
    if (!bases.some(({ digest, role }) => role === 'old-base' && digest === row.digest))
      bases.push({ ...row, role: 'old-base' });
    return base;
  }

  /** Tries what an image states, the most particular first, until one is there and below the image. */
  async #findStated(
    member: ImageMember,
    set: ImageSet,
    to: OpenBase,
    platforms: readonly Platform[],
  ): Promise<OpenBase> {
    const { image, child } = member;
    const name = nameOfImage(image);
    const stated = statedBases(image, [
      {
        annotations: child?.descriptor.json['annotations'],
        where: 'the annotations of its row in the index',
      },
      { annotations: set.index?.json['annotations'], where: 'the annotations of the index' },
    ]);
    const tried: string[] = [];
    let mismatch: OpenBase | null = null;
    for (const each of stated)
      for (const reference of this.#referencesOf(each, to, tried)) {
        const base = await this.#tryToOpen(reference, platforms, tried);
        if (base === null) continue;
        if (isBelow(imageFor(member, base), image)) return base;
        mismatch ??= base;
      }
    // What is stated and is there is told by the transform, with the layer at which the two part.
    if (mismatch !== null) return mismatch;
    const why =
      stated.length === 0
        ? `${name} does not say what it was built on`
        : `the base of ${name} cannot be found: ${tried.join('; ')}`;
    throw new OcislimError('NOT_FOUND', why, {
      advice:
        'Name it: --old-base REF, by its digest if the tag has moved on. If it is gone, --old-base-layers N says that the N lowest layers are its. "ocislim history" shows what the image is made of.',
    });
  }

  /**
   * Returns where a stated base may be. An image from a registry may be anyone's: on its word only the hosts of the image itself and of the new base
   * are asked, and no file of this machine is read.
   */
  *#referencesOf(
    { name, digest, where }: StatedBase,
    { reference: to }: OpenBase,
    tried: string[],
  ): Generator<Reference> {
    const own = this.#wish.reference;
    const hosts = [hostOf(own), hostOf(to)].filter((host) => host !== null);
    if (name === null) {
      const places = [to, own].filter(isRegistry);
      if (places.length === 0) tried.push(`${where} give a digest only, ${digest ?? ''}`);
      for (const place of places) if (digest !== null) yield withDigest(place, digest);
      return;
    }
    const reference = parsed(name);
    if (reference === null) {
      tried.push(`${where} name ${JSON.stringify(name)}, which is not an image in a registry`);
      return;
    }
    if (!hosts.includes(hostOf(reference) ?? '')) {
      tried.push(
        `${where} name ${formatReference(reference)}, on a host that neither the image nor the new base is from: if that is right, write --old-base ${formatReference(digest === null ? reference : withDigest(reference, digest))}`,
      );
      return;
    }
    yield digest === null ? reference : withDigest(reference, digest);
  }

  async #tryToOpen(
    reference: Reference,
    platforms: readonly Platform[],
    tried: string[],
  ): Promise<OpenBase | null> {
    try {
      return await this.open(reference, platforms);
    } catch (error) {
      if (!(error instanceof OcislimError) || error.code !== 'NOT_FOUND') throw error;
      tried.push(`${formatReference(reference)} is not there`);
      return null;
    }
  }
}

function parsed(name: string): Reference | null {
  try {
    const reference = parseReference(name);
    return isRegistry(reference) ? reference : null;
  } catch {
    return null;
  }
}

/** The image of a base for the platform of an image. @throws NOT_FOUND */
function imageFor(member: ImageMember, { set, reference }: OpenBase): Image {
  const all = imageMembers(set);
  const wanted = platformOf(member);
  if (wanted === null) {
    const [only, ...more] = all;
    if (only !== undefined && more.length === 0) return only.image;
  } else {
    const placed = all.flatMap((each) => {
      const platform = platformOf(each);
      return platform === null ? [] : [{ image: each.image, platform }];
    });
    const [best] = bestMatches(wanted, placed, ({ platform }) => platform);
    if (best !== undefined) return best.image;
  }
  const platform = wanted === null ? 'an unknown platform' : formatPlatform(wanted);
  throw new OcislimError('NOT_FOUND', `${formatReference(reference)} has no image for ${platform}`, {
    advice: 'Choose the platforms that both bases have: --platform OS/ARCH.',
  });
}

function namedBase({ reference, set }: OpenBase, { descriptor }: Image): NamedBase {
  const name = isRegistry(reference) ? formatReference({ ...reference, digest: null }) : null;
  return { name, digest: descriptor.digest, root: set.root.descriptor.digest };
}

function read({ reference, set }: OpenBase): { readonly reference: Reference; readonly digest: Digest } {
  return { reference, digest: set.root.descriptor.digest };
}

function distinct(platforms: readonly (Platform | null)[]): readonly Platform[] {
  const known = new Map(platforms.flatMap((each) => (each === null ? [] : [[JSON.stringify(each), each]])));
  return [...known.values()];
}
