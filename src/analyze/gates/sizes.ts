/** Gates about bytes and the number of layers. The table of gates has them. */
import { formatSize } from '../../units.ts';
import { breach, type Gate } from './gate.ts';

/** A share of a whole, 0 to 1, or bytes. */
export type Share =
  | { readonly kind: 'ratio'; readonly ratio: number }
  | { readonly kind: 'bytes'; readonly bytes: number };

const smaller = 'Keep fewer files, or pack them better: "ocislim analyze" says what to do';

export const transferSize: Gate<number> = {
  title: 'All layers together transfer at most so many bytes',
  isDeep: false,
  judge: (limit, { analysis }) => {
    const { transferBytes } = analysis.totals;
    if (transferBytes <= limit) return [];
    const message = `the layers transfer ${formatSize(transferBytes)}, more than ${formatSize(limit)}`;
    return [breach(message, { fix: smaller, command: ['slim'] })];
  },
};

export const unpackedSize: Gate<number> = {
  title: 'All layers together take at most so many bytes unpacked',
  isDeep: false,
  judge: (limit, { analysis }) => {
    const { tarBytes } = analysis.totals;
    if (tarBytes <= limit) return [];
    const message = `the layers take ${formatSize(tarBytes)} unpacked, more than ${formatSize(limit)}`;
    return [breach(message, { fix: smaller, command: ['slim'] })];
  },
};

export const layerSize: Gate<number> = {
  title: 'No layer transfers more than so many bytes',
  isDeep: false,
  judge: (limit, { analysis }) =>
    analysis.layers
      .filter(({ transferBytes }) => transferBytes > limit)
      .map(({ number, transferBytes }) =>
        breach(`layer ${number} transfers ${formatSize(transferBytes)}, more than ${formatSize(limit)}`, {
          fix: 'Split the instruction, so that what changes often is in a layer of its own',
          layer: number,
        }),
      ),
};

export const layers: Gate<number> = {
  title: 'There are at most so many layers',
  isDeep: false,
  judge: (limit, { analysis }) => {
    const { length } = analysis.layers;
    if (length <= limit) return [];
    return [
      breach(`there are ${length} layers, more than ${limit}`, {
        fix: 'Join RUN instructions with &&, and COPY instructions of one folder',
        command: ['squash', '--last', String(length - Math.max(limit, 1) + 1)],
      }),
    ];
  },
};

export const reclaimable: Gate<Share> = {
  title: 'Files that no container sees take at most so many bytes, or such a share of all contents',
  isDeep: false,
  judge: (limit, { analysis }) => {
    const { reclaimableBytes, contentBytes } = analysis.totals;
    const message = excess(reclaimableBytes, contentBytes, limit);
    if (message === null) return [];
    return [
      breach(`files that no container sees take ${message}`, {
        fix: 'Delete and change files in the instruction that makes them; use COPY --chown and COPY --chmod',
        command: ['prune', '--shadowed'],
      }),
    ];
  },
};

export const duplicates: Gate<Share> = {
  title: 'Visible files whose contents are there already take at most so many bytes, or such a share',
  isDeep: true,
  judge: (limit, { analysis }) => {
    const { duplicateBytes, visibleBytes } = analysis.totals;
    const message = excess(duplicateBytes, visibleBytes, limit);
    if (message === null) return [];
    return [
      breach(`visible files whose contents are there already take ${message}`, {
        fix: 'Copy each file once, and link to it with RUN ln',
      }),
    ];
  },
};

/** Says by how much bytes are over a limit; null where they are not. */
function excess(bytes: number, whole: number, limit: Share): string | null {
  if (limit.kind === 'bytes')
    return bytes <= limit.bytes ? null : `${formatSize(bytes)}, more than ${formatSize(limit.bytes)}`;
  if (bytes <= limit.ratio * whole) return null;
  const percent = (share: number) => `${Number((share * 100).toFixed(2))} %`;
  return `${formatSize(bytes)}, ${percent(bytes / whole)} of ${formatSize(whole)} and more than ${percent(limit.ratio)}`;
}
