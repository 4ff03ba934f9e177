import { expect, it } from 'vitest';
import type { LayerIndex } from '../../../src/changeset/layer-index.ts';
import { pipe } from '../../../src/image/image.ts';
import { prune } from '../../../src/slim/prune.ts';
import { resolve } from '../../../src/slim/resolve/resolve.ts';
import { parseRule } from '../../../src/rules/rules.ts';
import { squash } from '../../../src/slim/squash.ts';
import { imageOf } from '../../laws/rig.ts';
import { p } from '../../support/bytes.ts';

const all = { kind: 'all' } as const;
/** More than fit into one call's arguments. */
const many = 200_000;

/** A layer of this many empty files. */
function indexOf(name: string): LayerIndex {
  const column = <T>(value: T): T[] => Array.from({ length: many }, () => value);
  const numbers = (value: number) => Float64Array.from(column(value));
  return {
    kinds: column('file'),
    paths: Array.from({ length: many }, (_, i) => p(`${name}${i}`)),
    bytes: numbers(512),
    sizes: numbers(0),
    modes: numbers(0o644),
    uids: numbers(0),
    gids: numbers(0),
    mtimes: numbers(0),
    lengths: new Map(),
    targets: new Map(),
    symlinks: new Map(),
    capable: new Set(),
    head: () => new Uint8Array(512),
    tarBytes: 512 * many,
    end: 'complete',
  };
}

it('takes any number of entries out of one layer', () => {
  const image = imageOf([Uint8Array.of(1), Uint8Array.of(2)]);
  const indexes = new Map([
    [1, indexOf('a')],
    [2, indexOf('a')],
  ]);
  for (const steps of [[prune(all, { rules: [parseRule('a*', '--rule')] })], [squash(all)]]) {
    const resolved = resolve(pipe(...steps)(image), indexes, () => 0);
    const removals = resolved.kind === 'resolved' ? resolved.resolution.removals.length : 0;
    expect(removals).toBeGreaterThanOrEqual(many);
  }
});
