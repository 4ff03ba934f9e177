import type { ByteString } from '../../bytes/bytes.ts';
import { root } from '../../bytes/path.ts';
import type { Change } from '../../changeset/change.ts';
import { opaqueMarkerName, whiteoutName } from '../../changeset/layer-index.ts';
import type { ImageOutcome } from '../../jobs/rewrite/records.ts';
import { pathFields } from '../escape.ts';
import type { RemovedEntry } from '../report.ts';

/** Returns the name of a change in its tar: for markers, that of the marker file. */
export function pathOf({ resolution }: ImageOutcome, change: Change): ByteString {
  const path = resolution.table?.paths[change.path] ?? root;
  if (change.kind === 'whiteout') return whiteoutName(path);
  return change.kind === 'opaque' ? opaqueMarkerName(path) : path;
}

/** Returns the fields that name a change in the report. */
export function namedBy(outcome: ImageOutcome, change: Change): ReturnType<typeof pathFields> {
  return pathFields(pathOf(outcome, change));
}

/** Returns the type of entry that a change stands for. */
export function typeOf({ kind }: Change): RemovedEntry['type'] {
  switch (kind) {
    case 'file':
    case 'directory':
    case 'symlink':
    case 'fifo':
    case 'whiteout':
      return kind;
    case 'link':
      return 'hardlink';
    case 'char':
      return 'character-device';
    case 'block':
      return 'block-device';
    case 'opaque':
      return 'whiteout';
  }
}
