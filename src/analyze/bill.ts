/**
 * What a bill of materials says of an image, as plain data. `jobs/analyze/bill-image.ts` makes it of a scan, and `report/sbom` writes it in
 * the formats that other programs read.
 */
import { utf8Text } from '../bytes/bytes.ts';
import type { Path } from '../bytes/path.ts';
import type { Digest } from '../oci/digest.ts';
import type { Filesystem } from '../rootfs/filesystem.ts';
import type { ComponentIndex } from '../rootfs/packages/component-index.ts';
import type { Distribution } from '../rootfs/packages/distribution.ts';
import type { Component, ComponentKind } from '../rootfs/packages/package.ts';
import { purlOf } from '../rootfs/packages/purl.ts';
import { itemsPerStep, type Steps } from '../steps.ts';

/** A bill of materials of one image. Texts come from the image and may hold anything but halves of surrogate pairs. */
export interface Bill {
  readonly image: BilledImage;
  /** Null for an image that states none. */
  readonly distribution: Distribution | null;
  /** Lowest first. */
  readonly layers: readonly BilledLayer[];
  /** Sorted by kind, name and version. */
  readonly components: readonly BilledComponent[];
  /** Package databases that cannot be read: components are missing. */
  readonly unread: readonly { readonly path: Path; readonly why: string }[];
}

export interface BilledImage {
  /** The reference as the user wrote it. */
  readonly reference: string;
  /** The last part of the repository, or of the name of the folder or archive. */
  readonly name: string;
  /** The repository with its host, without a tag; null for an image that is in no registry. */
  readonly repository: string | null;
  readonly tag: string | null;
  readonly digest: Digest;
  readonly mediaType: string;
  /** `linux/arm64/v8`, and the architecture by itself; null where the config states none. */
  readonly platform: string | null;
  readonly architecture: string | null;
  /** The time of everything that the bill says, in seconds since 1970; null where neither image nor user state one. */
  readonly time: number | null;
}

export interface BilledLayer {
  /** From 1, the lowest. */
  readonly number: number;
  readonly digest: Digest;
  readonly diffId: Digest;
  /** `created_by` of the history row, as written; null where the history does not tell. */
  readonly instruction: string | null;
}

export interface BilledComponent {
  readonly kind: ComponentKind;
  /** The name by which its registry knows it. */
  readonly name: string;
  readonly version: string | null;
  readonly purl: string | null;
  readonly architecture: string | null;
  readonly source: { readonly name: string; readonly version: string | null } | null;
  /** As written: identifiers of SPDX, expressions, or any words. */
  readonly licences: readonly string[];
  readonly supplier: string | null;
  /** The lowest layer that carries one of its files; null where the image has none of them. */
  readonly layer: number | null;
  /** Its files in the image. */
  readonly files: readonly Path[];
  /** The part of its file that it is: an archive in an archive, a module in a program. Null for one with files of its own. */
  readonly inside: string | null;
  /** The package of the distribution that brought it; null for none, and for those packages themselves. */
  readonly owner: string | null;
  /** Bytes of its regular files; 0 for a part of one. */
  readonly bytes: number;
  /** Number of files that its database lists and the image does not have, without documentation and translations. */
  readonly missing: number;
}

/** Makes a bill of what a scan found. */
export function* billSteps(
  image: BilledImage,
  layers: readonly BilledLayer[],
  { fs, index }: { readonly fs: Filesystem; readonly index: ComponentIndex },
): Steps<Bill> {
  const { distribution, unread } = index;
  const components: BilledComponent[] = [];
  let left = itemsPerStep;
  for (const component of index.components) {
    left -= component.files.length + 1;
    if (left < 0) {
      yield;
      left = itemsPerStep;
    }
    components.push(billedComponent(component, distribution, fs));
  }
  return { image, distribution, layers, components, unread };
}

function billedComponent(
  component: Component,
  distribution: Distribution | null,
  fs: Filesystem,
): BilledComponent {
  const { kind, name, version, files, details } = component;
  const { architecture, source, licences, supplier, missing, inside, owner } = details;
  let layer: number | null = null;
  let bytes = 0;
  for (const path of files) {
    const carrier = fs.carrier(path);
    if (carrier === null) continue;
    layer = Math.min(layer ?? carrier.layer, carrier.layer);
    if (inside === null && carrier.kind === 'file') bytes += fs.size(path);
  }
  return {
    kind,
    name: utf8Text(details.registryName ?? name),
    version: wellFormed(version),
    purl: purlOf(component, distribution),
    architecture: wellFormed(architecture),
    source:
      source === null ? null : { name: source.name.toWellFormed(), version: wellFormed(source.version) },
    licences: licences.map((each) => each.toWellFormed()),
    supplier: wellFormed(supplier),
    layer,
    files,
    inside: wellFormed(inside),
    owner: owner === null ? null : utf8Text(owner),
    bytes,
    missing,
  };
}

function wellFormed(text: string | null): string | null {
  return text === null ? null : text.toWellFormed();
}
