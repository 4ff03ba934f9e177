import { show } from '../model/byte-string.ts';
import type { EntrySpec, TarEnd } from '../model/tar-bytes.ts';
import type { ModelEntry } from '../model/tar-reader.ts';
import type { Feature } from './features.ts';

export type GeneratedLayer = {
  /** The entries as written, in order. */
  readonly entries: readonly EntrySpec[];
  /** The entries that {@link readTar} reads from `tar`, for the model to apply. */
  readonly model: readonly ModelEntry[];
  readonly end: TarEnd;
  readonly tar: Uint8Array;
};

export type GeneratedStack = {
  readonly layers: readonly GeneratedLayer[];
  /** The odd things that occur in the stack, for the test of their distribution. */
  readonly features: ReadonlySet<Feature>;
  /** Returns the whole stack as text for the message of a failed property. fast-check calls it. */
  readonly describe: () => string;
};

/** Returns a stack as text, an entry on each line. */
export function describeStack(layers: readonly GeneratedLayer[]): string {
  return layers
    .map((layer, i) => {
      const heading = `layer ${i + 1} (${layer.tar.length} bytes, end: ${layer.end})`;
      return [heading, ...layer.entries.map((spec) => `  ${describeSpec(spec)}`)].join('\n');
    })
    .join('\n');
}

/** Returns an entry on one line: its kind, its name, and every attribute that is not plain. */
export function describeSpec(spec: EntrySpec): string {
  const type = spec.type ?? 'file';
  if (type === 'global') return `global header ${show(JSON.stringify(spec.pax ?? []))}`;
  const parts = [type.padEnd(7), show(spec.name)];
  if (spec.linkname !== undefined) parts.push('→', show(spec.linkname));
  if (spec.body !== undefined)
    parts.push(
      `${spec.body.length} bytes ${show(Buffer.from(spec.body.subarray(0, 24)).toString('latin1'))}`,
    );
  if (spec.sparse !== undefined)
    parts.push(
      `sparse ${spec.sparse.format} of ${spec.sparse.size}: ${spec.sparse.map.map(([at, n]) => `${at}+${n}`).join(' ')}`,
    );
  if (spec.mode !== undefined) parts.push(spec.mode.toString(8).padStart(4, '0'));
  if (spec.uid !== undefined || spec.gid !== undefined) parts.push(`${spec.uid ?? 0}:${spec.gid ?? 0}`);
  if (spec.uname || spec.gname) parts.push(`${show(spec.uname ?? '')}:${show(spec.gname ?? '')}`);
  if (spec.devmajor !== undefined) parts.push(`device ${spec.devmajor},${spec.devminor ?? 0}`);
  if (spec.mtime !== undefined && spec.mtime !== '1700000000') parts.push(`mtime ${spec.mtime}`);
  for (const [key, value] of Object.entries(spec.xattrs ?? {})) parts.push(`${show(key)}=${show(value)}`);
  if (spec.typeflag !== undefined) parts.push(`typeflag ${show(spec.typeflag)}`);
  if (spec.format !== undefined && spec.format !== 'ustar') parts.push(spec.format);
  return parts.join(' ');
}
