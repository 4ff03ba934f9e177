/**
 * What both formats of bills say in the same words: the properties of components, and names for them within the document. `cyclonedx.ts`
 * and `spdx.ts` call it.
 */
import type { Bill, BilledComponent, BilledLayer } from '../../analyze/bill.ts';
import { displayPath, pathFields } from '../escape.ts';
import { uuidOfText } from './uuid.ts';

/** How a bill is written. */
export interface BillStyle {
  /** The version of the tool that says it. */
  readonly version: string;
  /** Whether to list the files of each component. */
  readonly files: boolean;
}

/** The tool that writes bills. */
export const tool = 'ocislim';

/** A name and a value that the formats have no member for. */
export type Property = readonly [name: string, value: string];

/** Returns the properties of the image: what cannot be read. */
export function imageProperties({ unread, image }: Bill): readonly Property[] {
  return [
    ['ocislim:reference', image.reference],
    ...unread.map(({ path, why }): Property => ['ocislim:unread-database', `${displayPath(path)}: ${why}`]),
  ];
}

/** Returns the properties of a component. Layers are those of the bill, lowest first. */
export function componentProperties(
  component: BilledComponent,
  layers: readonly BilledLayer[],
): readonly Property[] {
  const { kind, layer: number, files, bytes, missing, source, inside, owner } = component;
  const layer = number === null ? undefined : layers[number - 1];
  return [
    ['ocislim:kind', kind],
    ...(source === null
      ? []
      : ([
          ['ocislim:source', source.version === null ? source.name : `${source.name} ${source.version}`],
        ] as const)),
    ...(layer === undefined
      ? []
      : ([
          ['ocislim:layer', `${layer.number}`],
          ['ocislim:layer-digest', layer.digest],
          ['ocislim:layer-diff-id', layer.diffId],
        ] as const)),
    ...(typeof layer?.instruction === 'string'
      ? ([['ocislim:instruction', layer.instruction.toWellFormed()]] as const)
      : []),
    ...(inside === null ? [] : ([['ocislim:inside', inside]] as const)),
    ...(owner === null ? [] : ([['ocislim:part-of', owner]] as const)),
    ['ocislim:files', `${files.length}`],
    ['ocislim:bytes', `${bytes}`],
    ...(missing === 0
      ? []
      : ([
          ['ocislim:partially-removed', 'true'],
          ['ocislim:missing-files', `${missing}`],
        ] as const)),
  ];
}

/** Returns the paths of a component as absolute names. What is not UTF-8 stands as people read it. */
export function* locationsOf({ files }: BilledComponent): Generator<string> {
  for (const path of files) yield `/${pathFields(path).path}`;
}

/** Names components within a document: by their package URLs, with a number where several have the same. */
export class References {
  readonly #counts = new Map<string, number>();

  /** Returns the name of the next component. */
  next({ purl, kind, name, version }: BilledComponent): string {
    const named = purl ?? `${kind}/${encodeURIComponent(name)}@${encodeURIComponent(version ?? '')}`;
    const count = (this.#counts.get(named) ?? 0) + 1;
    this.#counts.set(named, count);
    // No package URL has a fragment here: its number signs are encoded.
    return count === 1 ? named : `${named}#${count}`;
  }
}

/** Returns the number of a document. The same image, tool and format give the same one. */
export function uuidOf({ image }: Bill, { version, files }: BillStyle, format: string): string {
  return uuidOfText(JSON.stringify([image.digest, image.reference, image.time, version, files, format]));
}

/** Returns the time of a bill as RFC 3339 has it: 1970 where none is known, so that the same image gives the same bytes. */
export function timeOf({ image }: Bill): Date {
  return new Date((image.time ?? 0) * 1000);
}
