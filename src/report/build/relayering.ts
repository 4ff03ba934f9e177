/**
 * Reports what updates of an image download, before and after its layers were made new, and what is in each layer. `build.ts` calls it for
 * each image; bytes of a dry run are estimates.
 */
import { asByteString, decodeForDisplay } from '../../bytes/bytes.ts';
import {
  blobsOf,
  downloadsOf,
  type ImageBlobs,
  transferBytes,
  versionDownloads,
} from '../../analyze/diff/downloads.ts';
import type { Download } from '../../analyze/diff/image-diff.ts';
import { type Image, isSamePlatform } from '../../image/image.ts';
import { assignmentOf } from '../../image/relayering.ts';
import type { ImageOutcome, LayerOutcome } from '../../jobs/rewrite/records.ts';
import type { Digest } from '../../oci/digest.ts';
import type { Relayered } from '../../slim/resolve/relayer-range.ts';
import { chanceOf } from '../../slim/resolve/source-chances.ts';
import type { PlatformReport, RelayeringReport } from '../report.ts';
import { numbersOf } from './layers.ts';
import { sum } from './numbers.ts';

/** An earlier version of an image, as it was named. */
export interface NamedVersion {
  readonly name: string;
  readonly image: Image;
}

type Side = RelayeringReport['before'];
type Downloads = NonNullable<Side['downloads']>;

/** Reports the layout of an image; the field is absent from runs that lay nothing out. The first version is the one before. */
export function reportRelayering(
  outcome: ImageOutcome,
  versions: readonly NamedVersion[],
): Pick<PlatformReport, 'relayering'> {
  const { relayered } = outcome.resolution;
  if (relayered === null) return {};
  const { image } = outcome;
  const own = versions.filter((version) => isSamePlatform(version.image, image));
  const [previous = null] = own;
  const layout = new Layout(outcome, relayered, previous?.image ?? null);
  const source = blobsOf(image);
  const downloads = previous === null ? null : downloadsFrom(blobsOf(previous.image), source, layout);
  const expected = sum(layout.rows.map(({ expectedBytes }) => expectedBytes));
  return {
    relayering: {
      previous: previous === null ? null : nameOf(previous),
      before: sideOf(source, sourceExpectation(image, relayered), downloads?.before ?? null),
      after: sideOf(layout.blobs, expected, downloads?.after ?? null),
      layers: layout.rows,
      ...(own.length === 0 ? {} : matrixOf(own, outcome, layout)),
    },
  };
}

function nameOf({ name, image }: NamedVersion): { readonly name: string; readonly digest: Digest } {
  return { name, digest: image.descriptor.digest };
}

function sideOf(blobs: ImageBlobs, expectedBytes: number, downloads: Side['downloads']): Side {
  return {
    layers: blobs.layers.length,
    transferBytes: transferBytes(blobs),
    expectedBytes: Math.round(expectedBytes),
    downloads,
  };
}

/** Adds up what an update is expected to download of the source's layers. Those of a base are taken to stay. */
function sourceExpectation(image: Image, { sourceChances }: Relayered): number {
  return sum(image.manifest.layers.map(({ size }, i) => size * (sourceChances.get(i + 1) ?? 0)));
}

/** Says what a client that has the version before downloads for the source and for the result. */
function downloadsFrom(
  has: ImageBlobs,
  source: ImageBlobs,
  layout: Layout,
): { readonly before: Downloads; readonly after: Downloads } {
  const after = layout.downloads(has);
  const before = downloadsOf(has, source, () => null).filter(({ model }) => model !== 'file');
  // The files are the same: a client that shares files downloads the same of both.
  const file = after.filter(({ model }) => model === 'file');
  return { before: [...before.map(reportedDownload), ...file], after };
}

function reportedDownload({ model, transferBytes: bytes, layers, isEstimate }: Download): Downloads[number] {
  return { model, transferBytes: bytes, layers: layers.length, isEstimate };
}

/** The layers of a result, as blobs and as components. */
class Layout {
  readonly blobs: ImageBlobs;
  readonly rows: RelayeringReport['layers'];
  readonly #layers: readonly LayerOutcome[];
  readonly #relayered: Relayered;
  readonly #isPlanned: boolean;
  /** Digests of the components of the version before, by their names. */
  readonly #known: Readonly<Record<string, string>> | null;

  constructor(outcome: ImageOutcome, relayered: Relayered, previous: Image | null) {
    this.#relayered = relayered;
    this.#isPlanned = outcome.config === null;
    this.#known = (previous === null ? null : assignmentOf(previous))?.digests ?? null;
    this.#layers = outcome.layers.filter(({ sealed }) => sealed?.kind !== 'dropped');
    const own = blobsOf(outcome.image);
    this.blobs = {
      config: outcome.config?.descriptor ?? { ...own.config, digest: plannedDigest('config') },
      layers: this.#layers.map((layer, i) => this.#blobOf(layer, i, { own, previous })),
    };
    this.rows = this.#layers.map((layer, i) => this.#rowOf(layer, i));
  }

  /** Returns what a client that has these blobs downloads for the result; by file only where digests of components are known. */
  downloads(has: ImageBlobs): Downloads {
    const found = downloadsOf(has, this.blobs, (layer) => this.#contentsOf(layer));
    const isKnown = this.#known !== null;
    return found
      .filter(({ model }) => model !== 'file' || isKnown)
      .map(reportedDownload)
      .map((download) => ({ ...download, isEstimate: download.isEstimate || this.#isPlanned }));
  }

  /** Counts what of a layer is new by its components: one that changed counts as a whole. */
  #contentsOf(layer: number): { readonly newBytes: number; readonly allBytes: number } {
    const components = this.#componentsOf(this.#layers[layer - 1]);
    if (components === null) return { newBytes: 1, allBytes: 1 };
    const bytes = (all: typeof components) => sum(all.map((each) => each.bytes));
    return {
      newBytes: bytes(components.filter((each) => !this.#isKnown(each.name))),
      allBytes: bytes(components),
    };
  }

  #isKnown(name: string): boolean {
    const digest = this.#relayered.assignment.digests?.[name];
    return digest !== undefined && this.#known?.[name] === digest;
  }

  /** Returns the components of a new layer; null for one that stays. */
  #componentsOf(layer: LayerOutcome | undefined): Relayered['layers'][number] | null {
    if (layer?.content.kind !== 'edited') return null;
    return this.#relayered.layers[(layer.content.part?.number ?? 1) - 1] ?? [];
  }

  #blobOf(
    layer: LayerOutcome,
    i: number,
    { own, previous }: { readonly own: ImageBlobs; readonly previous: Image | null },
  ): ImageBlobs['layers'][number] {
    const { sealed, content, estimate } = layer;
    if (sealed !== null && sealed.kind !== 'dropped') return { ...sealed.blob, diffId: sealed.diffId };
    const source = own.layers[(numbersOf(layer.layer.content).at(-1) ?? 0) - 1];
    if (content.kind === 'stored' && estimate === undefined && source !== undefined) return source;
    const digest = plannedDigest(`${i}`);
    return (
      this.#previousBlob(layer, previous) ?? {
        digest,
        diffId: digest,
        size: estimate?.size ?? source?.size ?? 0,
      }
    );
  }

  /** Returns the layer of the version before that a planned one will be, since it has the same components; null for none. */
  #previousBlob(layer: LayerOutcome, previous: Image | null): ImageBlobs['layers'][number] | null {
    const assignment = previous === null ? null : assignmentOf(previous);
    const components = this.#componentsOf(layer);
    if (previous === null || assignment === null || components === null) return null;
    const isTop = components === this.#relayered.layers.at(-1);
    const isAll = this.#relayered.layers.flat().every(({ name }) => this.#isKnown(name));
    // The times of directories are in the uppermost layer.
    if (isTop && !isAll) return null;
    const names = JSON.stringify(components.map(({ name }) => name));
    const at = assignment.layers.findIndex((each) => JSON.stringify(each) === names);
    if (at < 0 || !components.every(({ name }) => this.#isKnown(name))) return null;
    const { layers } = blobsOf(previous);
    return layers[layers.length - assignment.layers.length + at] ?? null;
  }

  #rowOf(layer: LayerOutcome, i: number): RelayeringReport['layers'][number] {
    const components = this.#componentsOf(layer) ?? [];
    const change = chanceOf(components);
    const size = this.blobs.layers[i]?.size ?? 0;
    return {
      number: i + 1,
      transferBytes: size,
      change,
      expectedBytes: Math.round(size * change),
      components: components.map((each) => ({
        name: shownName(each.name),
        bytes: each.bytes,
        change: each.change,
      })),
    };
  }
}

/** Compares each version with each other, the oldest first, the result included. */
function matrixOf(
  versions: readonly NamedVersion[],
  { manifest }: ImageOutcome,
  { blobs }: Layout,
): Pick<RelayeringReport, 'versions'> {
  const earlier = versions
    .toReversed()
    .map((version) => ({ ...nameOf(version), blobs: blobsOf(version.image) }));
  const result = { name: 'result', digest: manifest?.descriptor.digest ?? null, blobs };
  return { versions: [...versionDownloads([...earlier, result])] };
}

/** Returns the name of a component as text: one of a path has the bytes of the path. */
function shownName(name: string): string {
  const isBytes = /^[\0-\xff]*$/u.test(name);
  return isBytes ? decodeForDisplay(asByteString(name), (text) => text) : name;
}

/** Makes a digest that no blob has. */
function plannedDigest(name: string): Digest {
  return `planned:${name}` as Digest;
}
