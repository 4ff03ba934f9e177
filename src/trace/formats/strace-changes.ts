/** The changes of names that a successful call makes, with the paths as the trace shows them. `strace-effects.ts` asks for them. */
import { type ByteString, noBytes } from '../../bytes/bytes.ts';
import type { NameChange, TracedPath } from '../trace.ts';
import type { Call } from './strace-calls.ts';
import type { StraceNames } from './strace-names.ts';
import type { ReturnedCall } from './strace-return.ts';

/** RENAME_EXCHANGE (include/uapi/linux/fs.h). */
const exchange = 2;
/** MS_BIND and MS_MOVE (include/uapi/linux/mount.h). */
const bind = 0x1000;
const moveMount = 0x2000;
/** The argument of mount(2) with its flags. */
const mountFlags = 3;

/** Returns the changes of names that a call made. Names whose directory the trace does not show change nothing. */
export function changesOf(
  { targets, change }: Extract<Call, { kind: 'use' }>,
  returned: ReturnedCall,
  names: StraceNames,
): readonly NameChange[] {
  const [first, second] = targets;
  if (change === null || first === undefined) return [];
  switch (change.kind) {
    case 'symlink': {
      const path = names.located(returned, first);
      const target = returned.string(change.text);
      return path === null || target === null || target === '' ? [] : [{ kind: 'symlink', path, target }];
    }
    case 'move': {
      const from = names.located(returned, first);
      const path = second === undefined ? null : names.located(returned, second);
      const isBoth = change.flags !== null && returned.hasFlag(change.flags, 'RENAME_EXCHANGE', exchange);
      return [...moved(from, path), ...(isBoth ? moved(path, from) : [])];
    }
    case 'create':
      return [];
    case 'mount': {
      const isSame =
        returned.hasFlag(mountFlags, 'MS_BIND', bind) || returned.hasFlag(mountFlags, 'MS_MOVE', moveMount);
      if (!isSame) return [];
      return moved(names.located(returned, { ...first, path: 0 }), names.located(returned, first));
    }
  }
}

function moved(from: TracedPath | null, path: TracedPath | null): readonly NameChange[] {
  return isFile(from) && isFile(path) && from !== path ? [{ kind: 'moved', path, from }] : [];
}

function isFile(path: ByteString | null): path is TracedPath {
  return path !== null && path !== noBytes;
}
